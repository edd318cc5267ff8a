// Tokens of Azure's libraries for JavaScript: `node tokens.cjs PACKAGE RESOURCE [resource_id VALUE]`.
//
// Uses each library as its users do, without settings. Prints the identity and the audience of the token as JSON.
// Environment: NODE_PATH is the folder of the packages.
"use strict";

async function getWithIdentity(name, resource, resourceId) {
    const { ManagedIdentityCredential } = require(name);
    const credential = resourceId ? new ManagedIdentityCredential({ resourceId }) : new ManagedIdentityCredential();
    return (await credential.getToken(`${resource}/.default`)).token;
}

async function getWithMsal(name, resource, resourceId) {
    const { ManagedIdentityApplication } = require(name);
    const managedIdentityIdParams = resourceId && { userAssignedResourceId: resourceId };
    const application = new ManagedIdentityApplication({ managedIdentityIdParams });
    return (await application.acquireToken({ resource })).accessToken;
}

async function main(name, resource, _selector, resourceId) {
    const get = name.includes("msal") ? getWithMsal : getWithIdentity;
    const token = await get(name, resource, resourceId);
    const { appid, aud } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    console.log(JSON.stringify({ appid, aud }));
}

main(...process.argv.slice(2));
