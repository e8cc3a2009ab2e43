// Starts `vfc lsp` and shows the picture of a flow beside its text. All the rest is the server's.
// @ts-check
"use strict";

const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

const REDRAW_MS = 400;

/** @type {LanguageClient | undefined} */
let client;

/** @returns {string[]} The program to start, and its arguments. */
function command() {
  const [program = "vfc", ...rest] = vscode.workspace.getConfiguration("vfc").get("command", ["vfc", "lsp"]);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const relative = program.includes("/") && !path.isAbsolute(program);
  return [relative && folder ? path.join(folder, program) : program, ...rest];
}

/** Start the server. */
async function start() {
  const [program, ...args] = command();
  const docs = vscode.workspace.getConfiguration("vfc").get("docs", "");
  client = new LanguageClient(
    "vfc",
    "Call flows",
    { command: program, args, transport: TransportKind.stdio },
    {
      documentSelector: [{ scheme: "file", language: "yaml" }],
      initializationOptions: { docs },
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{yaml,yml}") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(
      `vfc could not be started (${program}): ${reason}. Install it with the extra "lsp", or set vfc.command.`,
    );
  }
}

/** Stop the server, if it runs. */
async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) {
    await running.stop();
  }
}

/** The pictures that are shown: one panel for each flow. */
class Pictures {
  constructor() {
    /** @type {Map<string, vscode.WebviewPanel>} */
    this.panels = new Map();
    /** @type {NodeJS.Timeout | undefined} */
    this.waiting = undefined;
  }

  /** @param {vscode.TextDocument} document */
  async show(document) {
    const uri = document.uri.toString();
    let panel = this.panels.get(uri);
    if (panel === undefined) {
      const title = `Picture of ${path.basename(path.dirname(document.uri.fsPath))}`;
      const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      panel = vscode.window.createWebviewPanel("vfc.graph", title, beside, { enableScripts: true });
      panel.onDidDispose(() => this.panels.delete(uri));
      this.panels.set(uri, panel);
    }
    await this.draw(uri, panel);
  }

  /** @param {vscode.TextDocument} document */
  changed(document) {
    const uri = document.uri.toString();
    const panel = this.panels.get(uri);
    if (panel !== undefined) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => void this.draw(uri, panel), REDRAW_MS);
    }
  }

  /**
   * @param {string} uri
   * @param {vscode.WebviewPanel} panel
   */
  async draw(uri, panel) {
    if (!client?.isRunning()) {
      return;
    }
    const picture = await client.sendRequest("vfc/graph", { uri });
    if (picture.current) {
      panel.webview.html = picture.html;
    } else if (!picture.html) {
      panel.webview.html = `<p>There is no picture yet: ${picture.reason}.</p>`;
    }
    panel.title = panel.title.replace(/ \(.*\)$/, "") + (picture.current ? "" : ` (${picture.reason})`);
  }
}

/** @param {vscode.ExtensionContext} context */
async function activate(context) {
  const pictures = new Pictures();
  context.subscriptions.push(
    vscode.commands.registerCommand("vfc.showGraph", async () => {
      const document = vscode.window.activeTextEditor?.document;
      if (document !== undefined) {
        await pictures.show(document);
      }
    }),
    vscode.commands.registerCommand("vfc.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeTextDocument((event) => pictures.changed(event.document)),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("vfc.command") || event.affectsConfiguration("vfc.docs")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

/** @returns {Promise<void>} */
function deactivate() {
  return stop();
}

module.exports = { activate, deactivate };
