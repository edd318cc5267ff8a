// Tokens of Azure's libraries for JavaScript on any host: `node host_tokens.cjs RESOURCE LIBRARY...`.
//
// Uses each library as its users do. Only the credential of workload identity has a setting: it would ask an address on
// the internet whether the authority is one of Azure. Prints a line of JSON for each library: the identity and the
// audience of its token, or the class of the error. Environment: NODE_PATH is the folder of the packages.
"use strict";

const libraries = {
    "@azure/identity": async (resource) => {
        const { ManagedIdentityCredential } = require("@azure/identity");
        return (await new ManagedIdentityCredential().getToken(`${resource}/.default`)).token;
    },
    "@azure/identity, workload": async (resource) => {
        const { WorkloadIdentityCredential } = require("@azure/identity");
        const credential = new WorkloadIdentityCredential({ disableInstanceDiscovery: true });
        return (await credential.getToken(`${resource}/.default`)).token;
    },
    "@azure/msal-node": async (resource) => {
        const { ManagedIdentityApplication } = require("@azure/msal-node");
        return (await new ManagedIdentityApplication().acquireToken({ resource })).accessToken;
    },
};

async function describe(name, resource) {
    try {
        const token = await libraries[name](resource);
        const { appid, aud } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
        return { appid, aud };
    } catch (error) {
        return { error: error.name };
    }
}

async function main(resource, ...names) {
    for (const name of names) console.log(JSON.stringify(await describe(name, resource)));
}

main(...process.argv.slice(2));
