// The desk's page: shows what the stream tells, sends what the human agent answers.
// Whatever a caller said becomes a text node, never markup.
"use strict";

const PLACES = {
  waiting: "waiting: the caller is being told",
  ringing: "ringing: your telephone rings",
  accepted: "accepted",
  declined: "declined",
  over: "over",
};
const WHYS = {
  busy: "the line was busy", no_answer: "nobody answered", voicemail: "a voicemail answered", failed: "the line failed",
  declined: "it was declined", closed: "the desk is closed", too_late: "it took too long",
  call_ended: "the caller has hung up", call_moved: "it is shown anew", undelivered: "it could not be delivered", put_away: "it was put away",
  crowded: "too many were waiting",
};
const handoffs = new Map();
const announced = new Set();
let chosen = location.hash.slice(1) || null;
let lost = false;

const at = (id) => document.getElementById(id);

function make(tag, text, attributes = {}, ...children) {
  const one = document.createElement(tag);
  if (text !== null && text !== undefined) one.textContent = String(text);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

const words = (name) => String(name).replaceAll("_", " ");
const title = (one) => words(one.handoff).replace(/^./u, (first) => first.toUpperCase());
const minutes = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
const known = (value) => (value === null || value === undefined || value === "" ? "not known" : value === true ? "yes" : value === false ? "no" : value);

function tell(text) {
  // A new node each time, so that the same words twice are read out twice.
  at("news").replaceChildren(make("span", text));
}

async function send(key, deed) {
  const answer = await fetch(`/desk/handoffs/${encodeURIComponent(key)}/${deed}`, { method: "POST" });
  if (answer.status === 403) location.reload();
  return answer.status === 404 ? { place: "over" } : answer.json();
}

async function answer(one, deed, asked) {
  for (const button of at("handoff").querySelectorAll("button")) button.disabled = true;
  try {
    const told = await send(one.key, deed);
    if (told.place !== asked) tell(`Too late: this handoff is ${told.place}${told.by ? ` by ${told.by}` : ""}.`);
  } catch {
    tell("That did not reach the server. Try again.");
  }
  showHandoff();
  at("chosen").focus();
}

function placeOf(one) {
  if (one.place === "over") return `over: ${WHYS[one.why] || "nobody took it"}`;
  const by = one.by ? ` by ${one.by}` : "";
  if (one.place === "accepted") return one.why === "joined" ? `with the caller${by}` : `accepted${by}: pick up your telephone`;
  return `${PLACES[one.place] || one.place}${one.place === "declined" ? by : ""}`;
}

function showList() {
  const list = at("list");
  const focused = document.activeElement && document.activeElement.dataset.key;
  const all = [...handoffs.values()].sort((one, other) => one.since_ms - other.since_ms);
  list.replaceChildren(...all.map((one) => {
    const button = make("button", null, { type: "button", class: `entry ${one.place}`, "data-key": one.key });
    button.append(make("b", title(one)), make("span", one.package.reason || "no reason stated"), make("span", placeOf(one)), sinceOf(one));
    if (one.key === chosen) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => choose(one.key, true));
    return make("li", null, {}, button);
  }));
  if (focused) {
    const again = list.querySelector(`[data-key="${CSS.escape(focused)}"]`);
    (again || at("chosen")).focus();
  }
  const waiting = all.filter((one) => one.place === "waiting" || one.place === "ringing").length;
  at("count").textContent = waiting ? `(${waiting})` : "";
  at("nobody").hidden = all.length > 0;
  document.title = waiting ? `(${waiting}) Desk` : "Desk";
}

function sinceOf(one) {
  // Read once by a screen reader, counted on for the eye.
  return make("span", waited(one), { class: "since", "data-since": one.since_ms, title: `since ${new Date(one.since_ms).toLocaleTimeString()}` });
}

const waited = (one) => `for ${minutes(Math.max(0, Date.now() - one.since_ms))}`;

setInterval(() => {
  for (const shown of document.querySelectorAll("[data-since]")) shown.textContent = waited({ since_ms: Number(shown.dataset.since) });
}, 1000);

function telephone(number) {
  return /^\+[0-9]{5,15}$/u.test(number) ? make("a", number, { href: `tel:${number}` }) : document.createTextNode(number);
}

function section(name, ...children) {
  return make("section", null, { "aria-label": name }, make("h3", name), ...children);
}

function slotsOf(slots) {
  const head = make("thead", null, {}, make("tr", null, {}, ...["What", "Value", "How sure"].map((name) => make("th", name, { scope: "col" }))));
  const rows = slots.map((slot) => {
    const sure = slot.sure ? "sure" : `not sure (${Math.round((slot.confidence ?? 1) * 100)} %)`;
    return make("tr", null, {}, make("td", slot.meaning || words(slot.name)), make("td", known(slot.value)), make("td", sure, slot.sure ? {} : { class: "unsure" }));
  });
  return make("table", null, {}, head, make("tbody", null, {}, ...rows));
}

function pairs(entries) {
  return make("dl", null, {}, ...entries.flatMap(([name, value]) => [make("dt", words(name)), make("dd", null, {}, name === "call back" ? telephone(value) : String(known(value)))]));
}

function saidOf(lines) {
  return make("ol", null, { class: "said" }, ...lines.map((line) => make("li", null, { class: line.who },
    make("span", minutes(line.at_ms || 0), { class: "at" }), make("span", line.who, { class: "who" }), make("span", line.text, { class: "words" }))));
}

function buttonsOf(one) {
  const box = make("div", null, { class: "buttons" });
  const add = (text, css, deed, asked) => {
    const button = make("button", text, { type: "button", class: css });
    button.addEventListener("click", () => answer(one, deed, asked));
    box.append(button);
  };
  if (one.place === "waiting" || one.place === "ringing") {
    add("Accept", "accept", "accept", "accepted");
    add("Decline", "", "decline", "declined");
  } else if (one.place === "accepted" || one.place === "declined") {
    if (one.place === "accepted") add("Caller complains", "", "complaint", "accepted");
    add("Put away", "", "put-away", "over");
  }
  return box;
}

function showHandoff() {
  const one = handoffs.get(chosen);
  at("handoff").hidden = !one;
  at("hint").hidden = Boolean(one);
  if (!one) return at("handoff").replaceChildren();
  const told = one.package;
  const parts = [
    make("div", null, { class: "top" },
      make("div", null, {}, make("h2", title(one)), make("p", placeOf(one), { class: `place ${one.place}` })), buttonsOf(one)),
    section("Why", make("p", told.reason || "No reason was stated.")),
  ];
  if (told.summary) parts.push(section("Summary", make("p", told.summary, { class: "summary" })));
  const about = [];
  if ("callback_number" in told) about.push(["call back", told.callback_number || "the number is withheld"]);
  if (told.sentiment) about.push(["mood", told.sentiment]);
  about.push(["flow", `${told.flow} ${told.flow_version}`]);
  parts.push(section("Caller", pairs(about)));
  if (told.slots && told.slots.length) parts.push(section("What the caller gave", slotsOf(told.slots)));
  if (told.facts && Object.keys(told.facts).length) parts.push(section("What we knew", pairs(Object.entries(told.facts))));
  if (told.transcript && told.transcript.length) parts.push(section("What was said", saidOf(told.transcript)));
  at("handoff").replaceChildren(...parts);
  return undefined;
}

function choose(key, focus) {
  chosen = key;
  showList();
  showHandoff();
  if (focus) at("chosen").focus();
}

function change(one) {
  const before = handoffs.get(one.key);
  if (one.place === "over") {
    handoffs.delete(one.key);
    if (chosen === one.key) chosen = null;
    if (before) tell(`${title(before)}: ${placeOf(one)}.`);
  } else {
    handoffs.set(one.key, one);
    if (!before) {
      send(one.key, "received").catch(() => {});
      const isNew = !announced.has(one.key) && (one.place === "waiting" || one.place === "ringing");
      announced.add(one.key);
      if (isNew) tell(`New handoff: ${title(one)}. ${one.package.reason || ""}`);
      if (chosen === null) chosen = one.key;
    } else if (before.place !== one.place || before.why !== one.why) {
      tell(`${title(one)}: ${placeOf(one)}.`);
    }
  }
  showList();
  if (one.key === chosen || chosen === null) {
    const inside = at("handoff").contains(document.activeElement);
    showHandoff();
    if (inside) at("chosen").focus();
  }
}

function begin() {
  const stream = new EventSource("/desk/changes");
  stream.addEventListener("begin", () => {
    lost = false;
    handoffs.clear(); // what there is is told anew
    at("connection").textContent = "Connected";
    at("connection").className = "";
    setTimeout(() => { showList(); showHandoff(); }, 300);
  });
  stream.addEventListener("message", (event) => change(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    if (!lost) {
      lost = true;
      at("connection").textContent = "Not connected: handoffs do not arrive. Trying again…";
      at("connection").className = "lost";
    }
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
}

begin();
