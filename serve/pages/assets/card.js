/** The quality and origin of a version. */

import { find, h, number, percent } from "./dom.js";

const code = (text) => h("code", {}, text);

export function showCard(metadata) {
	const { provenance: from = {}, labels } = metadata;
	const facts = [
		["Accuracy", accuracy(from.metrics ?? {})],
		["RMSE", from.metrics?.test_rmse?.toPrecision(4)],
		["Parity", from.parity && parity(from.parity)],
		["Quantized", from.quantization && cost(from.quantization)],
		["Size", size(metadata.size_bytes)],
		[
			"Data set",
			from.dataset && [from.dataset.name || "unnamed", " ", code(from.dataset.sha256.slice(0, 12))],
		],
		["Run", from.run_id && code(from.run_id)],
		["Commit", from.git_commit && code(from.git_commit.slice(0, 12))],
		[
			"Created",
			from.created &&
				new Date(from.created).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" }),
		],
		["Labels", labels && labels.join(", ")],
		["Input", metadata.inputs.map(tensor).join("; ")],
		["Output", metadata.outputs.map(tensor).join("; ")],
	];
	const known = facts.filter(([, value]) => value);
	find("facts").replaceChildren(
		...known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
	);
	if (!metadata.provenance)
		find("facts").append(h("p", { class: "faint" }, "This version has no manifest."));
}

function accuracy(metrics) {
	const parts = Object.entries(metrics).filter(([name]) => name.endsWith("accuracy"));
	const first = ([name]) => (name === "test_accuracy" ? 0 : 1);
	parts.sort((a, b) => first(a) - first(b));
	return parts
		.map(
			([name, value]) =>
				`${percent(value)} ${name.replace(/_?accuracy/, "").replace("val", "validation")}`,
		)
		.join(", ");
}

const parity = ({ rows, top1_agreement: same, max_abs_difference: most }) =>
	`${same == null ? "" : `the same class as Keras in ${percent(same)} of `}${number(rows)} rows, values within ${most.toExponential(1)}`;

const cost = ({ accuracy_loss: loss, rmse_increase: more }) =>
	more == null ? `costs ${percent(loss)} of accuracy` : `raises the RMSE by ${percent(more)}`;

const size = (bytes) =>
	bytes < 1e3
		? `${bytes} bytes`
		: bytes < 1e6
			? `${number(bytes / 1e3)} kB`
			: `${number(bytes / 1e6, 1)} MB`;

const tensor = ({ name, datatype, shape, range }) =>
	`${name}: ${datatype} [${shape.map((n) => (n < 0 ? "N" : n)).join(", ")}]${range ? `, ${number(range[0])} to ${number(range[1])}` : ""}`;
