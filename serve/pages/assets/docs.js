/** The page at /docs: every operation of /openapi.json, and a way to try it. */

import { ask, send } from "./api.js";
import { find, h, milliseconds } from "./dom.js";
import { firstRow } from "./form.js";
import * as status from "./status.js";

const MOST_TEXT = 20000; // characters of an answer that are shown
const examples = {}; // request bodies by the name of their schema
let api;
let name = "";

const resolve = (part) =>
	part?.$ref
		? part.$ref
				.slice(2)
				.split("/")
				.reduce((at, key) => at[key], api)
		: part;

/** A schema in short: {name: string, shape: [integer]}. */
function outline(schema, indent = "", depth = 0) {
	const named = schema.$ref?.split("/").pop();
	if (named && depth > 2) return named;
	const inside = (part, more = "") => outline(part, indent + more, depth + 1);
	const { type, properties, items, required = [], ...more } = resolve(schema);
	const many = more.oneOf ?? more.anyOf;
	if (many) return [...new Set(many.map((one) => inside(one)))].join(" | ");
	if (more.enum) return more.enum.join(" | ");
	if (type === "array") return `[${inside(items)}, …]`;
	if (!properties) return type ?? "any";
	const lines = Object.entries(properties).map(
		([key, of]) => `${indent}  ${key}${required.includes(key) ? "" : "?"}: ${inside(of, "  ")}`,
	);
	return `{\n${lines.join(",\n")}\n${indent}}`;
}

function operation(path, method, described) {
	const details = h(
		"details",
		{ class: "operation" },
		h(
			"summary",
			{},
			h("code", { class: method }, method.toUpperCase()),
			h("code", {}, path),
			h("span", {}, described.summary),
		),
	);
	details.addEventListener(
		"toggle",
		() => details.childElementCount > 1 || details.append(...body(path, method, described)),
		{ once: true },
	);
	return details;
}

function body(path, method, { parameters = [], requestBody, responses }) {
	const content = Object.entries(requestBody?.content ?? {});
	const answers = Object.entries(responses).map(([code, answer]) => [code, resolve(answer)]);
	const [good] = Object.entries(resolve(responses[200]).content);
	return [
		trial(path, method, parameters, content),
		...content.map(([media, { schema }]) =>
			h(
				"div",
				{},
				h("h3", {}, "Request", h("small", {}, ` ${media}`)),
				h("pre", { tabindex: 0 }, outline(schema)),
			),
		),
		h("h3", {}, "Answer", h("small", {}, ` ${good[0]}`)),
		h("pre", { tabindex: 0 }, outline(good[1].schema)),
		h("h3", {}, "Status"),
		h(
			"dl",
			{ class: "facts" },
			answers.map(([code, { description }]) =>
				h("div", {}, h("dt", {}, code), h("dd", {}, description)),
			),
		),
	];
}

/** A form that sends the request. */
function trial(path, method, parameters, content) {
	const inputs = parameters.map((parameter) => {
		const { name: key, in: place, required, description } = parameter;
		const value =
			{ path: { name, version: "1", file: "page.js" }, query: { model: name } }[place]?.[key] ?? "";
		const input = h("input", { required, value, autocomplete: "off" });
		return {
			...parameter,
			input,
			label: h("label", {}, h("span", { title: description }, `${key} (${place})`), input),
		};
	});
	const isHeader = ({ in: place }) => place === "header";
	const labels = (test) => inputs.filter(test).map(({ label }) => label);
	const schema = content[0]?.[1].schema.$ref?.split("/").pop();
	const area = content.length
		? h("textarea", { rows: 8, spellcheck: "false", "aria-label": "Body of the request" })
		: null;
	if (area) area.value = examples[schema] ?? "{}";
	const output = h("div", { "aria-live": "polite" });
	const submitted = async (event) => {
		event.preventDefault();
		const at = (place) => inputs.filter(({ in: where, input }) => where === place && input.value);
		const filled = at("path").reduce(
			(text, { name: key, input }) => text.replace(`{${key}}`, encodeURIComponent(input.value)),
			path,
		);
		const query = new URLSearchParams(
			at("query").map(({ name: key, input }) => [key, input.value]),
		).toString();
		const headers = Object.fromEntries(
			at("header").map(({ name: key, input }) => [key, input.value]),
		);
		const request = {
			method: method.toUpperCase(),
			path: filled.slice(1) + (query && `?${query}`),
			body: area?.value,
			headers,
		};
		try {
			show(output, await send(request));
			status.report("ready");
		} catch (error) {
			if (await status.failed(error))
				output.replaceChildren("The server answers again. Send the request once more.");
		}
	};
	return h(
		"form",
		{ submit: submitted },
		h(
			"div",
			{ class: "fields" },
			labels((one) => !isHeader(one)),
		),
		h(
			"details",
			{ hidden: !labels(isHeader).length },
			h("summary", {}, "Headers"),
			h("div", { class: "fields" }, labels(isHeader)),
		),
		area,
		h("div", { class: "tools" }, h("button", { class: "primary" }, "Try it")),
		output,
	);
}

function show(output, { status: code, text, headers, ms }) {
	const isJson = headers.get("Content-Type")?.startsWith("application/json");
	const shown = isJson ? text.replace(/,(?=["{])/g, ",\n") : text;
	output.replaceChildren(
		h(
			"h3",
			{},
			`Status ${code}`,
			h("small", {}, ` ${milliseconds(ms)}, ${text.length} characters`),
		),
		h(
			"pre",
			{ tabindex: 0, class: "answer" },
			shown.length > MOST_TEXT ? `${shown.slice(0, MOST_TEXT)}…` : shown,
		),
	);
}

async function load() {
	const { json } = await ask({ path: "openapi.json" });
	api = json;
	[name] = (await ask({ path: "v1/models" })).json.models;
	await loadExamples();
	const groups = Map.groupBy(
		Object.entries(api.paths).flatMap(([path, item]) =>
			Object.entries(item).map(([method, described]) => ({ path, method, described })),
		),
		({ described }) => described.tags[0],
	);
	find("api").append(
		...[...groups].map(([tag, all]) =>
			h(
				"section",
				{ class: "card" },
				h("h2", {}, tag),
				all.map(({ path, method, described }) => operation(path, method, described)),
			),
		),
	);
	status.report("ready");
}

/** Bodies that a model answers, made of its example. */
async function loadExamples() {
	const path = `v2/models/${encodeURIComponent(name)}`;
	const [metadata, example] = await Promise.all([ask({ path }), ask({ path: `${path}/example` })]);
	const { inputs } = firstRow(example.json, metadata.json);
	const values = Object.fromEntries(inputs.map(({ name: key, data }) => [key, data]));
	const row = inputs.length > 1 ? values : inputs[0].data;
	examples.InferRequest = JSON.stringify({ inputs });
	examples.TfservingRequest = JSON.stringify({ instances: [row] });
	examples.InvocationsRequest = JSON.stringify({ inputs: inputs.length > 1 ? row : [row] });
	examples.PredictRequest = JSON.stringify({ image: row });
}

find("filter").addEventListener("input", ({ target }) => {
	const word = target.value.toLowerCase();
	document
		.querySelectorAll(".operation")
		.forEach((one) => (one.hidden = !one.firstChild.textContent.toLowerCase().includes(word)));
	document
		.querySelectorAll("section")
		.forEach((one) => (one.hidden = !one.querySelector(".operation:not([hidden])")));
});

load().catch(status.failed);
