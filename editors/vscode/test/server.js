// Drives `vfc lsp` over standard input and output with the protocol library that Visual Studio Code itself uses, as an
// independent judge of the server:  npm test  (VFC: the program, default ../../.venv/bin/vfc)
// @ts-check
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");
const rpc = require("vscode-languageserver-protocol/node");

const ROOT = path.resolve(__dirname, "../../..");
const PROGRAM = process.env.VFC ?? path.join(ROOT, ".venv/bin/vfc");
const FLOW = fs.readFileSync(path.join(ROOT, "tests/cases/checks/base.yaml"), "utf8");
const LINES = FLOW.split("\n");

/** @param {string} words @param {string} [at] @returns {rpc.Position} Where a line with these words says `at`. */
function where(words, at = words) {
  const line = LINES.findIndex((each) => each.includes(words));
  return { line, character: LINES[line].indexOf(at) + 1 };
}

test("an editor's day with the server", async (day) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "vfc-"));
  const uri = `file://${path.join(folder, "flow.yaml")}`;
  const server = spawn(PROGRAM, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  day.after(() => server.kill());
  const it = rpc.createProtocolConnection(
    new rpc.StreamMessageReader(server.stdout),
    new rpc.StreamMessageWriter(server.stdin),
  );
  /** @type {rpc.PublishDiagnosticsParams[]} */
  const told = [];
  let wake = () => {};
  it.onNotification(rpc.PublishDiagnosticsNotification.type, (params) => {
    told.push(params);
    wake();
  });
  it.onRequest(rpc.RegistrationRequest.type, () => undefined);
  it.listen();
  /** @param {number} version */
  const diagnostics = async (version) => {
    for (;;) {
      const found = told.find((each) => each.version === version && each.uri === uri);
      if (found) {
        return found.diagnostics;
      }
      await new Promise((resolve) => (wake = () => resolve(undefined)));
    }
  };

  const { capabilities } = await it.sendRequest(rpc.InitializeRequest.type, {
    processId: process.pid,
    rootUri: `file://${folder}`,
    capabilities: { textDocument: { publishDiagnostics: { relatedInformation: true } } },
  });
  for (const name of ["hoverProvider", "completionProvider", "renameProvider", "foldingRangeProvider"]) {
    assert.ok(name in capabilities, name);
  }
  await it.sendNotification(rpc.InitializedNotification.type, {});
  const textDocument = { uri };
  await it.sendNotification(rpc.DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: "yaml", version: 1, text: FLOW },
  });
  assert.deepEqual(await diagnostics(1), []);

  const target = where("on_failure: to_sales", "to_sales");
  const definition = await it.sendRequest(rpc.DefinitionRequest.type, { textDocument, position: target });
  assert.equal([definition].flat()[0].range.start.line, where("  to_sales:").line);
  const context = { includeDeclaration: true };
  const references = await it.sendRequest(rpc.ReferencesRequest.type, { textDocument, position: target, context });
  assert.equal(references.length, FLOW.split("to_sales").length - 1);
  const renamed = await it.sendRequest(rpc.RenameRequest.type, { textDocument, position: target, newName: "people" });
  const edits = renamed.changes?.[uri] ?? renamed.documentChanges?.[0].edits;
  assert.equal(edits.length, references.length);
  const completed = await it.sendRequest(rpc.CompletionRequest.type, { textDocument, position: target });
  const labels = (completed.items ?? completed).map((/** @type {rpc.CompletionItem} */ each) => each.label);
  assert.ok(labels.includes("goodbye"), labels.join(" "));
  const hover = await it.sendRequest(rpc.HoverRequest.type, { textDocument, position: where("  book:", "book") });
  assert.match(JSON.stringify(hover.contents), /What the model is told here/);
  const symbols = await it.sendRequest(rpc.DocumentSymbolRequest.type, { textDocument });
  assert.ok(symbols.length > 5);
  assert.ok((await it.sendRequest(rpc.FoldingRangeRequest.type, { textDocument })).length > 5);
  const picture = await it.sendRequest("vfc/graph", { uri });
  assert.ok(picture.current && picture.svg.includes("<svg"));

  const start = where("next: team", "team");
  start.character -= 1;
  await it.sendNotification(rpc.DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: { start, end: start }, text: "x" }],
  });
  const found = await diagnostics(2);
  assert.deepEqual(found.map((each) => each.code), ["VF120"]);
  const fixes = await it.sendRequest(rpc.CodeActionRequest.type, {
    textDocument,
    range: found[0].range,
    context: { diagnostics: found },
  });
  assert.equal(fixes[0].title, "Write `team`");

  await it.sendRequest(rpc.ShutdownRequest.type);
  await it.sendNotification(rpc.ExitNotification.type);
  assert.equal(await new Promise((resolve) => server.on("exit", resolve)), 0);
  fs.rmSync(folder, { recursive: true });
});
