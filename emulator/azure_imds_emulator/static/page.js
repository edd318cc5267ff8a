"use strict";

const KEPT_ROWS = 200;
const byId = (id) => document.getElementById(id);

// Everything shown came from outside, so it enters the page as text and never as markup.
function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text ?? "";
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function row(...cells) {
  const made = document.createElement("tr");
  for (const cell of cells) {
    if (cell instanceof Node) made.append(cell);
    else made.append(element("td", String(cell ?? "")));
  }
  return made;
}

const shownTime = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(path, options);
  const answer = await response.json();
  byId("problem").textContent = response.ok ? "" : answer.error;
  return response.ok ? answer : null;
}

async function act(method, path, body) {
  await call(method, path, body);
  await refresh();
}

function showMachine(state) {
  const compute = state.machine.instance.compute ?? {};
  const facts = [
    ["Kind", state.arc ? "Azure Arc agent" : "Azure virtual machine"],
    ["Name", compute.name], ["Size", compute.vmSize], ["Location", compute.location], ["vmId", compute.vmId],
    ["Tenant", state.machine.tenant_id],
    ...state.machine.identities.map((identity) => [identity.kind, `${identity.client_id} ${identity.resource_id}`]),
    ["Load balancer", state.machine.load_balancer ? "yes" : "none"],
    ["Rate limits", state.rate_limits ? "on" : "off"],
  ];
  byId("machine").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  byId("instance").textContent = JSON.stringify(state.machine.instance, null, 2);
}

function showEvents(events) {
  byId("incarnation").textContent = events.incarnation;
  byId("events").replaceChildren(...events.events.map((event) => {
    const actions = document.createElement("td");
    const path = `api/events/${encodeURIComponent(event.event_id)}`;
    const button = (label, method, where) => {
      const made = element("button", label, { type: "button" });
      made.addEventListener("click", () => act(method, where, method === "POST" ? {} : undefined));
      actions.append(made, " ");
    };
    if (event.status === "Scheduled") {
      button("Approve", "POST", `${path}/approve`);
      button("Cancel", "DELETE", path);
    } else {
      button("Complete", "POST", `${path}/complete`);
    }
    const begin = event.status === "Scheduled" ? shownTime(event.not_before) : "";
    return row(event.event_type, event.status, begin, event.resources.join(", "), actions);
  }));
  fillOnce(byId("schedule").elements.event_type, events.types);
}

function showFaults(faults) {
  byId("faults").replaceChildren(...faults.pending.map((fault) => {
    const left = fault.remaining === null ? "" : `, ${fault.remaining} more`;
    const end = fault.until === null ? "" : `, until ${shownTime(fault.until)}`;
    return element("li", `${fault.what}${left}${end}${fault.path ? ` on ${fault.path}` : ""}`);
  }));
  const ways = ["429", "500", "503", "404", "410", "hang", "close", ...faults.presets];
  fillOnce(byId("fail").elements.what, ways);
}

function fillOnce(select, values) {
  if (!select.options.length) select.replaceChildren(...values.map((value) => element("option", value)));
}

async function refresh() {
  const response = await fetch("api/state");
  if (!response.ok) return;
  const state = await response.json();
  byId("endpoint").textContent = state.endpoint;
  byId("time").textContent = shownTime(state.clock.time) + (state.clock.frozen ? ", frozen" : "");
  byId("total").textContent = state.requests.total;
  showMachine(state);
  showEvents(state.events);
  showFaults(state.faults);
}

function showRequest(request) {
  const status = element("td", request.status ?? "no answer", request.status < 400 && request.status ? {} : { class: "bad" });
  const path = request.query ? `${request.path}?${request.query}` : request.path;
  const rows = byId("requests");
  rows.prepend(row(request.number, shownTime(request.time), request.method, path, status, request.fault));
  while (rows.children.length > KEPT_ROWS) rows.lastChild.remove();
}

function listen() {
  const stream = new EventSource("api/stream");
  stream.onopen = () => {
    // A new connection tells the kept requests again.
    byId("requests").replaceChildren();
    byId("connection").textContent = "";
  };
  stream.onmessage = (message) => showRequest(JSON.parse(message.data));
  stream.onerror = () => { byId("connection").textContent = "not reachable"; };
}

byId("turn").addEventListener("submit", (event) => {
  event.preventDefault();
  act("POST", "api/clock", { advance: Number(event.target.elements.advance.value) });
});

byId("schedule").addEventListener("submit", (event) => {
  event.preventDefault();
  const { event_type: type, notice } = event.target.elements;
  act("POST", "api/events", { event_type: type.value, ...(notice.value === "" ? {} : { notice: Number(notice.value) }) });
});

byId("fail").addEventListener("submit", (event) => {
  event.preventDefault();
  const { what, times, path } = event.target.elements;
  const fault = { times: Number(times.value) };
  if (path.value) fault.path = path.value;
  if (/^\d+$/.test(what.value)) fault.status = Number(what.value);
  else if (what.value === "hang" || what.value === "close") fault[what.value] = true;
  else fault.preset = what.value;
  act("POST", "api/faults", fault);
});

byId("heal").addEventListener("click", () => act("DELETE", "api/faults"));

listen();
refresh();
setInterval(() => refresh().catch(() => {}), 1000);
