/** A form made of a model's metadata; a JSON editor where a form would not do. */

import { h, number } from "./dom.js";

const MOST = 64; // fields of one input

/** Does each input have a known, small number of features a row? */
export const fits = ({ inputs }) =>
	inputs.every(
		({ shape }) =>
			shape[0] === -1 && shape.length <= 2 && (shape[1] ?? 1) > 0 && (shape[1] ?? 1) <= MOST,
	);

/**
 * Fields for one row. `example` is a request, whose rows can be chosen one after the other.
 * Returns the elements, and `body()`: a request of the Open Inference Protocol, or of /predict if
 * `isTable`.
 */
export function fields({ inputs, features }, example) {
	const groups = inputs.map((input, i) => group(input, example.inputs[i], features));
	const rows = example.inputs[0].shape[0];
	let row = -1;
	const next = () => {
		row = (row + 1) % rows;
		groups.forEach(({ fill }) => fill(row));
	};
	next();
	const more = rows > 1 ? h("button", { type: "button", click: next }, "Next example") : null;
	const texts = () => groups.map(({ texts }) => texts());
	return {
		elements: [...groups.map(({ element }) => element), h("div", { class: "tools" }, send(), more)],
		isTable: features,
		body: () =>
			features
				? rowOf(features, ...texts())
				: bodyOf(
						inputs.map(({ name, datatype, shape }, i) => {
							return { name, datatype, shape: [1, ...shape.slice(1)], data: texts()[i] };
						}),
					),
	};
}

function group({ name, datatype, shape, range }, { data }, features) {
	const step = /INT/.test(datatype) ? 1 : "any";
	const one = { kind: datatype === "BOOL" ? "flag" : "number", limits: range, step };
	const width = shape[1] ?? 1;
	const isMatrix = shape.length > 1;
	const named = (_, i) => ({ ...one, name: isMatrix ? `${name} [${i}]` : name });
	const made = (features ?? Array.from({ length: width }, named)).map(field);
	const bounds = range ? `, ${number(range[0])} to ${number(range[1])}` : "";
	const title = [name, h("small", {}, ` ${datatype}${bounds}`)];
	return {
		element: h(
			"fieldset",
			{ class: "fields" },
			h("legend", { class: isMatrix && !features ? null : "hidden" }, title),
			made.map(({ label }) => label),
		),
		fill: (row) => made.forEach(({ fill }, i) => fill(data[row * width + i])),
		texts: () => made.map(({ text }) => text()),
	};
}

/** A field for a feature. An example has codes for texts, and null for missing values. */
function field({ name, kind, range, limits, step = "any", values, ...accepts }, i) {
	const required = !accepts.accepts_missing;
	const texts = kind === "boolean" ? ["false", "true"] : values;
	const options = texts?.map((text) => h("option", {}, text));
	const list = accepts.accepts_unknown && h("datalist", { id: `values${i}` }, options);
	const [min, max] = limits ?? [];
	const placeholder = range?.join(" to ");
	const input =
		kind === "flag"
			? h("input", { type: "checkbox" })
			: kind === "number"
				? h("input", { type: "number", required, step, min, max, placeholder })
				: list
					? h("input", { required, list: list.id })
					: h("select", { required }, required ? null : h("option", { value: "" }, "–"), options);
	return {
		label: h("label", {}, h("span", {}, name), input, list || null),
		fill(value) {
			input.checked = value;
			input.value = (texts ? (texts[value] ?? (value < 0 ? "?" : "")) : value) ?? "";
		},
		text: () => (kind === "flag" ? input.checked : input.value),
	};
}

/** A text area with a request that the model can answer. */
export function editor(example) {
	const area = h("textarea", {
		id: "json",
		spellcheck: "false",
		rows: 14,
		"aria-describedby": "json-help",
	});
	area.value = bodyOf(example.inputs);
	return {
		elements: [
			h("label", { for: "json" }, "Request of the Open Inference Protocol"),
			area,
			h(
				"p",
				{ id: "json-help", class: "faint" },
				"The example is one that the model was published with, or zeros.",
			),
			h("div", { class: "tools" }, send()),
		],
		body: () => area.value,
	};
}

const send = () => h("button", { class: "primary" }, "Send");

/** A line for each tensor. Numbers stay as they were typed. */
function bodyOf(tensors) {
	const lines = tensors.map(({ data, ...described }) => {
		const start = JSON.stringify(described).slice(0, -1);
		return `${start},"data":[${data.join(", ")}]}`;
	});
	return `{"inputs": [\n ${lines.join(",\n ")}\n]}`;
}

/** A row by the names of its features. */
function rowOf(features, texts) {
	const members = features.map(({ name, kind }, i) => {
		const isText = kind === "category" && texts[i];
		return `${JSON.stringify(name)}: ${isText ? JSON.stringify(texts[i]) : texts[i] || "null"}`;
	});
	return `{"rows": [{\n ${members.join(",\n ")}\n}]}`;
}

/** An example with its first row alone, unless the model takes batches of a fixed size. */
export function firstRow(example, metadata) {
	return {
		inputs: example.inputs.map((tensor, i) => {
			if (metadata.inputs[i].shape[0] !== -1) return tensor;
			const [rows, ...shape] = tensor.shape;
			return {
				...tensor,
				shape: [1, ...shape],
				data: tensor.data.slice(0, tensor.data.length / rows),
			};
		}),
	};
}
