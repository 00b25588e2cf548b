// SPDX-License-Identifier: BSD-2-Clause
/*
 * perfetto_query.mjs ENGINE_DIR TRACE SQL_FILE: loads a trace into Perfetto's trace processor, runs
 * the queries, prints one JSON object {"NAME": {"columns": [..], "rows": [[..], ..]}, ..}. A query
 * begins at a line "-- name: NAME". Exit status: 0 all is printed, 1 the trace or a query was
 * refused (said on stderr), 2 wrong use or no engine.
 *
 * ENGINE_DIR holds engine.mjs (the protocol), engine_bundle.node.js (what the web page's worker
 * runs) and trace_processor.wasm, as published for use by other programs. The worker expects a
 * browser: it gets the little of one that it looks at, and its bytes from here, not from a URL.
 */
import fs from "node:fs";
import path from "node:path";
import url from "node:url";
import vm from "node:vm";

const PART_BYTES = 32 << 20;
const READY_MS = 60000;

function die(status, text) {
	console.error(`perfetto_query: ${text}`);
	process.exit(status);
}

/* The three places where the worker's code needs another answer than in a browser. */
function adapt(code) {
	const places = [
		// 64-bit memory needs another .wasm, which is not there
		["this.useMemory64 = hasMemory64Support();", "this.useMemory64 = false;"],
		["locateFile: (s) => s,", "locateFile: (s) => s, wasmBinary: globalThis.frWasm,"],
		["const wasmBridge = new wasm_bridge_1.WasmBridge();",
		 "const wasmBridge = new wasm_bridge_1.WasmBridge(); globalThis.frBridge = wasmBridge;"],
	];
	for (const [from, to] of places) {
		if (!code.includes(from))
			die(2, `engine_bundle.node.js has no "${from}": another version?`);
		code = code.replace(from, to);
	}
	return code;
}

async function loadBridge(dir) {
	const glue = adapt(fs.readFileSync(path.join(dir, "engine_bundle.node.js"), "utf8"));
	const set = (name, value) =>
		Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });

	set("self", globalThis);
	set("WorkerGlobalScope", function WorkerGlobalScope() {});
	set("location", { href: `${url.pathToFileURL(dir)}/` });
	set("frWasm", new Uint8Array(fs.readFileSync(path.join(dir, "trace_processor.wasm"))));
	vm.runInThisContext(glue, { filename: "engine_bundle.node.js" });
	for (let waited = 0; !globalThis.frBridge.reqBufferAddr; waited += 10) {
		if (waited > READY_MS)
			die(2, "the engine does not get ready");
		await new Promise((done) => setTimeout(done, 10));
	}
	return globalThis.frBridge;
}

async function loadEngine(dir) {
	const { EngineBase } = await import(url.pathToFileURL(path.join(dir, "engine.mjs")));
	const bridge = await loadBridge(dir);

	class Engine extends EngineBase {
		mode = "WASM";
		id = "perfetto_query";

		rpcSendRequestBytes(data) {
			bridge.onMessage({ data });
		}
	}
	const engine = new Engine();
	bridge.initialize({ postMessage: (data) => engine.onRpcResponseBytes(data) });
	return engine;
}

async function loadTrace(engine, file) {
	const bytes = new Uint8Array(fs.readFileSync(file));

	for (let at = 0; at < bytes.length; at += PART_BYTES)
		await engine.parse(bytes.subarray(at, at + PART_BYTES));
	await engine.notifyEof();
}

/* 64-bit integers come as BigInt: exact as numbers, or else as strings. */
function plain(value) {
	if (typeof value !== "bigint")
		return value;
	return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

async function table(engine, sql) {
	const result = await engine.query(sql);
	const columns = result.columns();
	const rows = [];

	if (result.error())
		throw new Error(result.error());
	for (const it = result.iter({}); it.valid(); it.next())
		rows.push(columns.map((c) => plain(it.get(c))));
	return { columns, rows };
}

function queries(file) {
	const parts = fs.readFileSync(file, "utf8").split(/^-- name: *(\S+).*$/m);
	const found = [];

	for (let i = 1; i < parts.length; i += 2)
		found.push([parts[i], parts[i + 1]]);
	return found;
}

const [dir, trace, sqlFile] = process.argv.slice(2);
if (!sqlFile)
	die(2, "usage: perfetto_query.mjs ENGINE_DIR TRACE SQL_FILE");
// the engine prints what it thinks of a trace; stdout is for the answer alone
console.log = console.info = console.error;
console.warn = (...text) => {
	if (!/Unexpected QueryResult field/.test(JSON.stringify(text)))
		console.error(...text);
};

const engine = await loadEngine(path.resolve(dir)).catch((e) =>
	die(2, `no engine in ${dir}: ${e}`));
const answer = {};
try {
	await loadTrace(engine, trace);
	for (const [name, sql] of queries(sqlFile))
		answer[name] = await table(engine, sql).catch((e) => {
			throw new Error(`query ${name}: ${e.message ?? e}`);
		});
} catch (e) {
	die(1, `${trace}: ${e.message ?? e}`);
}
fs.writeSync(1, `${JSON.stringify(answer)}\n`);
process.exit(0);
