// The page of a role-play: sends what the person does, shows what the role-play tells, speaks what was said.
// Whatever was said becomes a text node, never markup.
"use strict";

const MOST_MS = 30000;
const WHO = { caller: "caller", assistant: "assistant", heard: "heard as", did: "", note: "" };
const at = (id) => document.getElementById(id);
let shown = []; // the transcript on the page
let player = null;
let busy = false;
let lit = "";

function make(tag, text, attributes = {}, ...children) {
  const one = document.createElement(tag);
  if (text !== null && text !== undefined) one.textContent = String(text);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function status(text) {
  at("status").textContent = text;
}

// ---- what is shown

function lineOf(told, number) {
  const line = make("li", null, { class: told.kind });
  if (WHO[told.kind]) line.append(make("span", WHO[told.kind], { class: "who" }));
  line.append(make("span", told.text, { class: "words" }));
  if (told.kind === "assistant" && number !== null && !at("aloud").disabled) {
    const hear = make("button", "Hear", { type: "button", "aria-label": `Hear: ${told.text}` });
    hear.addEventListener("click", () => speakAll([number]));
    line.append(hear);
  }
  return line;
}

function showTalk(transcript, notes) {
  const talk = at("talk");
  let same = 0;
  while (same < shown.length && same < transcript.length && shown[same].kind === transcript[same].kind && shown[same].text === transcript[same].text) same += 1;
  for (const note of talk.querySelectorAll("[data-note]")) note.remove();
  while (talk.children.length > same) talk.lastElementChild.remove();
  transcript.slice(same).forEach((told, more) => talk.append(lineOf(told, same + more)));
  for (const note of notes) {
    const line = lineOf({ kind: "note", text: note }, null);
    line.dataset.note = "";
    talk.append(line);
  }
  const fresh = transcript.map((_, number) => number).filter((number) => number >= same && transcript[number].kind === "assistant");
  const grown = transcript.length > shown.length;
  shown = transcript;
  talk.scrollTop = talk.scrollHeight;
  return grown ? fresh : [];
}

function rows(table, lines) {
  table.tBodies[0].replaceChildren(...lines.map((cells) => make("tr", null, {}, ...cells.map(([text, css]) => make("td", text, css ? { class: css } : {})))));
}

function showScene(scene) {
  at("node").textContent = (scene.node || "the beginning").replaceAll("_", " ") + (scene.over ? " (the call is over)" : "");
  const heard = scene.transcript.findLast((told) => told.kind === "heard");
  at("heard").textContent = heard ? heard.text : "Nothing yet.";
  at("slots").hidden = scene.slots.length === 0;
  at("unknown").hidden = scene.slots.length > 0;
  rows(at("slots"), scene.slots.map((slot) => [[slot.name.replaceAll("_", " ")], [slot.value], [slot.sure ? "sure" : "not sure", slot.sure ? "" : "unsure"]]));
  const why = scene.came.map(([node, by]) => `came to ${node.replaceAll("_", " ")}: ${by}`);
  why.push(`not understood here: ${scene.no_match}, silent here: ${scene.no_input}`);
  at("why").replaceChildren(...why.map((line) => make("li", line)));
  rows(at("answers"), scene.answers.map(([intent, to]) => [[intent.replaceAll("_", " ")], [to.replaceAll("_", " ")]]));
  at("brief").textContent = scene.brief.join("\n") || "None here.";
  light(scene.node);
}

function light(node) {
  lit = node;
  const picture = at("graph").contentDocument;
  if (!picture) return;
  for (const one of picture.querySelectorAll(".node.here")) one.classList.remove("here");
  const here = node && picture.querySelector(`.node[data-name="${CSS.escape(node)}"]`);
  if (!here) return;
  here.classList.add("here");
  const box = here.getBoundingClientRect();
  const view = picture.defaultView;
  view.scrollBy(box.left + box.width / 2 - view.innerWidth / 2, box.top + box.height / 2 - view.innerHeight / 2);
}

function show(told) {
  at("flow").textContent = told.flow;
  at("notice").hidden = !told.notice;
  at("notice").textContent = told.notice;
  // what a command tells beside the call: :why, :brief, what went wrong
  const line = told.told.some((one) => one.kind === "heard" || one.kind === "assistant");
  const inCall = (one) => told.scene.transcript.some((each) => each.kind === one.kind && each.text === one.text);
  const notes = told.told.filter((one) => one.kind === "note" || (one.kind === "did" && !line && !inCall(one))).map((one) => one.text);
  const fresh = showTalk(told.scene.transcript, notes);
  showScene(told.scene);
  status(told.scene.over ? "The call is over." : "The caller’s turn.");
  if (at("aloud").checked && !at("aloud").disabled && fresh.length) speakAll(fresh);
}

// ---- what is heard

async function speakAll(numbers) {
  if (player) player.pause();
  const own = new Audio();
  player = own;
  for (const number of numbers) {
    if (player !== own) return;
    own.src = `/said/${number}`;
    try {
      await own.play();
    } catch (error) {
      if (player === own) status(error.name === "NotAllowedError" ? "Press Hear, or say something: the browser speaks only after that." : "The words could not be spoken.");
      return;
    }
    await new Promise((done) => { own.onended = done; own.onpause = done; own.onerror = done; });
  }
}

// ---- what is done

async function send(path, body) {
  if (busy) return;
  busy = true;
  status("Listening…");
  try {
    const answer = await fetch(path, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status === 403 ? "This page is no longer the one that plays: open the new address." : `The role-play refused it (${answer.status}).`);
    show(await answer.json());
  } catch (error) {
    status(error instanceof TypeError ? "The role-play has ended: start it again." : error.message);
  } finally {
    busy = false;
  }
}

const take = (typed) => send("/take", typed);

// ---- the microphone

let recording = null;

async function record() {
  if (player) player.pause(); // the assistant must not be heard as the caller
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/recorder.js");
  const pieces = [];
  const node = new AudioWorkletNode(context, "recorder");
  node.port.onmessage = (event) => pieces.push(event.data);
  context.createMediaStreamSource(stream).connect(node);
  recording = { stream, context, pieces, timer: setTimeout(endRecording, MOST_MS) };
  at("speak").setAttribute("aria-pressed", "true");
  at("speak").textContent = "That was it";
  status("Speak now; press the button again when you have said it.");
}

async function endRecording() {
  if (!recording) return;
  const { stream, context, pieces, timer } = recording;
  recording = null;
  clearTimeout(timer);
  for (const track of stream.getTracks()) track.stop();
  const rate = Math.round(context.sampleRate);
  await context.close();
  at("speak").setAttribute("aria-pressed", "false");
  at("speak").textContent = "Speak";
  const sound = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) for (const sample of piece) sound[place++] = Math.max(-1, Math.min(1, sample)) * 32767;
  await send(`/heard?rate=${rate}`, sound.buffer);
}

at("speak").addEventListener("click", async () => {
  if (busy) return;
  try {
    await (recording ? endRecording() : record());
  } catch (error) {
    recording = null;
    status(error.name === "NotAllowedError" ? "The browser does not let this page use the microphone." : "There is no microphone here: type instead.");
  }
});

// ---- the controls

at("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = at("typed").value.trim();
  if (!typed || busy) return;
  at("typed").value = "";
  await take(typed);
});
for (const button of document.querySelectorAll("[data-take]")) button.addEventListener("click", () => take(button.dataset.take));
at("press").addEventListener("click", () => take(`:key ${at("key").value}`));
at("mean").addEventListener("click", () => take(`:intent ${at("intent").value}`));
at("save").addEventListener("click", () => send("/save", at("name").value));
at("name").addEventListener("keydown", (event) => { if (event.key === "Enter") at("save").click(); });
at("aloud").addEventListener("change", () => { if (!at("aloud").checked && player) player.pause(); });
at("graph").addEventListener("load", () => light(lit));
at("key").replaceChildren(...[..."1234567890*#"].map((key) => make("option", key)));

async function begin() {
  try {
    const told = await (await fetch("/scene")).json();
    at("intent").replaceChildren(...told.intents.map((name) => make("option", name)));
    if (told.silent) {
      at("aloud").checked = false;
      at("aloud").disabled = true;
      at("speak").disabled = true;
      at("speak").title = told.silent;
    }
    show(told);
    if (told.silent) status(told.silent);
    at("typed").focus();
  } catch {
    status("The role-play does not answer: start it again.");
  }
}

begin();
