"use strict";

const MAX_ROWS = 200;
const byId = (id) => document.getElementById(id);

// Sets textContent, never innerHTML: the values come from requests and can contain markup.
function makeElement(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text ?? "";
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// Narrow screens show the heading of a column beside each cell.
function makeRow(body, ...cells) {
  const row = document.createElement("tr");
  const headings = body.parentElement.tHead.rows[0].cells;
  cells.forEach((content, index) => {
    const cell = content instanceof Node ? content : makeElement("td", String(content ?? ""));
    const heading = headings[index].textContent;
    if (heading) cell.setAttribute("data-label", heading);
    row.append(cell);
  });
  return row;
}

const formatTime = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";

// Returns the reason why the emulator refused it, or "".
async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(path, options);
  return response.ok ? "" : (await response.json()).error;
}

async function change(method, path, body) {
  try {
    byId("problem").textContent = await call(method, path, body);
    await refresh();
  } catch {
    byId("problem").textContent = "The emulator does not answer. Is it still running?";
  }
}

// Replaces the content of an element, unless it is the same. The page asks for the state every second: the focus, the
// selected text and the place of a scroll bar stay.
const shown = new Map();
function show(element, content, make) {
  const text = JSON.stringify(content);
  if (shown.get(element.id) === text) return;
  shown.set(element.id, text);
  const focused = element.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const section = element.closest("section");
  element.replaceChildren(...content.flatMap(make));
  if (focused === null) return;
  const buttons = [...element.querySelectorAll("button")];
  const labels = buttons.map((button) => button.getAttribute("aria-label"));
  const what = focused.slice(focused.indexOf(" "));
  const index = labels.includes(focused) ? labels.indexOf(focused) : labels.findIndex((label) => label.endsWith(what));
  (buttons[index] ?? buttons[0] ?? section.querySelector("button")).focus();
}

function makeButton(label, what, method, path) {
  const button = makeElement("button", label, { type: "button", "aria-label": `${label} ${what}` });
  button.addEventListener("click", () => change(method, path, method === "POST" ? {} : undefined));
  return button;
}

function makeLongCell(text) {
  const cell = document.createElement("td");
  cell.append(makeElement("span", text, { class: "long" }));
  return cell;
}

function showMachine(state) {
  const compute = state.machine.instance.compute ?? {};
  const facts = [
    ["Kind", state.arc ? "Azure Arc agent" : state.title ?? "Azure virtual machine"],
    ["Name", compute.name], ["Size", compute.vmSize], ["Location", compute.location], ["vmId", compute.vmId],
    ["Tenant", state.machine.tenant_id],
    ...state.machine.identities.map((identity) => [identity.kind, identity.client_id, identity.resource_id]),
    ["Load balancer", state.machine.load_balancer ? "yes" : "no"],
    ["Rate limits", state.rate_limits ? "on" : "off"],
  ];
  show(byId("machine"), facts, ([name, ...values]) => [
    makeElement("dt", name), ...values.map((value) => makeElement("dd", value)),
  ]);
  show(byId("instance"), [JSON.stringify(state.machine.instance, null, 2)], (text) => [text]);
}

function showEvents(events) {
  byId("incarnation").textContent = events.incarnation;
  show(byId("events"), events.events, (event) => {
    const actions = document.createElement("td");
    const path = `api/events/${encodeURIComponent(event.event_id)}`;
    const addButton = (label, method, path) => {
      actions.append(makeButton(label, `${event.event_type} ${event.event_id}`, method, path), " ");
    };
    if (event.status === "Scheduled") addButton("Approve", "POST", `${path}/approve`);
    if (event.status === "Started") addButton("Complete", "POST", `${path}/complete`);
    else addButton("Cancel", "DELETE", path);
    const status = event.status === "Upcoming" ? `Appears ${formatTime(event.at)}` : event.status;
    const notBefore = event.status === "Started" ? "" : formatTime(event.not_before);
    const resources = makeLongCell(event.resources.join(", "));
    return makeRow(byId("events"), event.event_type, status, notBefore, resources, actions);
  });
  setOptions(byId("schedule").elements.event_type, events.types);
}

function showScenarios(scenarios) {
  show(byId("scenarios"), scenarios.running, (name) => {
    const item = makeElement("li", `${name} `);
    item.append(makeButton("Stop", name, "DELETE", `api/scenarios/${encodeURIComponent(name)}`));
    return item;
  });
  setOptions(byId("play").elements.namedItem("name"), Object.keys(scenarios.known));
}

function showFaults(faults, time) {
  const texts = faults.pending.map((fault) => {
    const remaining = fault.remaining === null ? "" : `, ${fault.remaining} more`;
    const from = fault.at > time ? `, from ${formatTime(fault.at)}` : "";
    const until = fault.until === null ? "" : `, until ${formatTime(fault.until)}`;
    const every = fault.every === null ? "" : `, every ${fault.every} s`;
    const path = fault.path ? ` on ${fault.path}` : "";
    return `${fault.what}${remaining}${from}${until}${every}${path}`;
  });
  show(byId("faults"), texts, (text) => makeElement("li", text));
  setOptions(byId("fail").elements.fault, ["429", "500", "503", "404", "410", "hang", "close", ...faults.presets]);
}

// Only once: replacing the options would reset the selection.
function setOptions(select, values) {
  if (!select.options.length) select.replaceChildren(...values.map((value) => makeElement("option", value)));
}

async function refresh() {
  const response = await fetch("api/state");
  if (!response.ok) return;
  const state = await response.json();
  byId("endpoint").textContent = state.endpoint;
  byId("time").textContent = formatTime(state.clock.time) + (state.clock.frozen ? ", frozen" : "");
  byId("total").textContent = state.requests.total;
  showMachine(state);
  showEvents(state.events);
  showScenarios(state.scenarios);
  showFaults(state.faults, state.clock.time);
  document.querySelector("main").removeAttribute("aria-busy");
}

function showRequest(request) {
  const failed = !request.status || request.status >= 400;
  const status = makeElement("td", request.status ?? "no response", failed ? { class: "bad" } : {});
  const path = request.query_string ? `${request.path}?${request.query_string}` : request.path;
  const rows = byId("requests");
  const cells = [request.number, formatTime(request.time), request.method, makeLongCell(path), status, request.fault];
  rows.prepend(makeRow(rows, ...cells));
  while (rows.children.length > MAX_ROWS) rows.lastChild.remove();
}

function listen() {
  const stream = new EventSource("api/stream");
  stream.onopen = () => {
    // A new connection starts with the recorded requests.
    byId("requests").replaceChildren();
    byId("connection").textContent = "";
  };
  stream.onmessage = (message) => showRequest(JSON.parse(message.data));
  stream.onerror = () => { byId("connection").textContent = "not connected"; };
}

byId("advance").addEventListener("submit", (event) => {
  event.preventDefault();
  change("POST", "api/clock", { advance: Number(event.target.elements.seconds.value) });
});

byId("schedule").addEventListener("submit", (event) => {
  event.preventDefault();
  const { event_type: type, after, notice } = event.target.elements;
  const options = notice.value === "" ? {} : { notice: Number(notice.value) };
  change("POST", "api/events", { event_type: type.value, after: Number(after.value), ...options });
});

byId("play").addEventListener("submit", (event) => {
  event.preventDefault();
  const elements = event.target.elements;
  change("POST", "api/scenarios", {
    name: elements.namedItem("name").value,
    after: Number(elements.after.value),
    speed: Number(elements.speed.value),
    loop: elements.loop.checked,
  });
});

byId("fail").addEventListener("submit", (event) => {
  event.preventDefault();
  const { fault, times, after, path } = event.target.elements;
  const options = { times: Number(times.value), after: Number(after.value) };
  if (path.value) options.path = path.value;
  if (/^\d+$/.test(fault.value)) options.status = Number(fault.value);
  else if (fault.value === "hang" || fault.value === "close") options[fault.value] = true;
  else options.preset = fault.value;
  change("POST", "api/faults", options);
});

byId("clear-faults").addEventListener("click", () => change("DELETE", "api/faults"));

listen();
refresh().catch(() => {});
setInterval(() => refresh().catch(() => {}), 1000);
