// SPDX-License-Identifier: GPL-2.0-only
// Starts `kvmcheck lsp` for .kvm files.  Everything that the editor then knows of a spec comes from there.
"use strict";

const { workspace } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

/** The client, while the extension is active. */
let client;

async function activate() {
  const [command, ...args] = workspace.getConfiguration("kvmcheck").get("command");
  const server = { command, args, transport: TransportKind.stdio };
  client = new LanguageClient("kvmcheck", "kvmcheck", { run: server, debug: server }, {
    documentSelector: [{ language: "kvm" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.kvm") },
  });
  await client.start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
