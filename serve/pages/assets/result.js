/** What the model answered, as bars, as a grid of images, or as tensors. */

import { h, percent } from "./dom.js";
import { paint } from "./digit.js";

const MOST = 12; // classes that are all shown
const MOST_VALUES = 200;

/** Do these numbers look like the probabilities of classes? */
const areProbabilities = (values) =>
	values.length > 1 &&
	values.every((value) => typeof value === "number" && value >= 0 && value <= 1) &&
	Math.abs(values.reduce((a, b) => a + b) - 1) < 0.02;

const top = (values) => values.indexOf(Math.max(...values));
const shown = (value, values) =>
	areProbabilities(values) ? percent(value) : Number(value.toPrecision(4)).toString();

/** The most likely class in words. */
export const spoken = (values, labels) =>
	`${labels[top(values)]}, ${shown(Math.max(...values), values)}`;

/** What the model sees of an image, as a figure's content. */
export const seen = (image, side) => [
	paint(h("canvas", { role: "img", "aria-label": "What the model sees" }), image, side),
	h("figcaption", { "aria-hidden": "true" }, "What the model sees"),
];

/** Show the scores of one image or row, and what the model sees, if anything. */
export function showScores(element, values, labels, figure = []) {
	let view = element.firstElementChild;
	if (!view?.matches(".scores") || view.dataset.labels !== labels.join()) {
		view = h(
			"div",
			{ class: "scores", "data-labels": labels.join() },
			h(
				"div",
				{ class: "headline" },
				h("output", { class: "top" }),
				h("p", { class: "sure" }),
				h("figure", {}),
			),
			h("ol", { class: "bars" }),
		);
		element.replaceChildren(view);
	}
	const winner = top(values);
	view.querySelector(".top").textContent = labels[winner];
	view.querySelector(".sure").textContent = shown(values[winner], values);
	view.querySelector("figure").replaceChildren(...figure);
	const bars = view.querySelector(".bars");
	const order = values.map((_, i) => i);
	if (values.length > MOST) order.sort((a, b) => values[b] - values[a]).splice(MOST);
	while (bars.childElementCount < order.length) bars.append(bar());
	order.forEach((i, place) => fill(bars.children[place], labels[i], values, i, i === winner));
}

const bar = () =>
	h(
		"li",
		{},
		h("span", { class: "name" }),
		h("span", { class: "track", "aria-hidden": "true" }, h("i")),
		h("span", { class: "part" }),
	);

function fill(item, label, values, i, isWinner) {
	const [name, track, part] = item.children;
	const most = areProbabilities(values) ? 1 : Math.max(...values.map(Math.abs), 1e-9);
	name.textContent = label;
	track.firstChild.style.width = `${(Math.max(values[i], 0) / most) * 100}%`;
	part.textContent = shown(values[i], values);
	item.classList.toggle("winner", isWinner);
}

/** Show the class of one row, or its value. */
export function showPrediction(element, { predictions, probabilities }, labels) {
	const scores = probabilities?.[0];
	if (scores)
		return showScores(element, scores, labels.length === scores.length ? labels : Object.keys(scores));
	const value = predictions[0].toLocaleString("en", { maximumSignificantDigits: 6 });
	element.replaceChildren(h("output", { class: "top" }, value));
}

/** Show the answers to several images. */
export function showGrid(element, items, rows, labels, side) {
	const cells = items.map(({ name, image }, i) => {
		const label = labels[top(rows[i])];
		const picture = paint(h("canvas", { role: "img", "aria-label": name }), image, side);
		return h(
			"li",
			{},
			picture,
			h("strong", {}, label),
			h("span", {}, shown(Math.max(...rows[i]), rows[i])),
			h("small", { title: name }, name),
		);
	});
	element.replaceChildren(h("ul", { class: "grid" }, cells));
}

/** Show the outputs of any model; its labels belong to the last dimension of an output. */
export function showTensors(element, outputs, labels) {
	const views = outputs.map(({ name, datatype, shape, data }) => {
		const title = h("h3", {}, name, h("small", {}, ` ${datatype} [${shape.join(", ")}]`));
		if (shape.length === 2 && shape[0] === 1 && areProbabilities(data)) {
			const view = h("div");
			showScores(view, data, labels?.length === data.length ? labels : Object.keys(data));
			return h("div", {}, title, view);
		}
		return h("div", {}, title, h("p", { class: "values" }, valuesOf(data)));
	});
	element.replaceChildren(h("div", { class: "tensors" }, views));
}

function valuesOf(data) {
	const texts = data
		.slice(0, MOST_VALUES)
		.map((value) =>
			typeof value === "number" ? Number(value.toPrecision(7)).toString() : String(value),
		);
	return texts.join(", ") + (data.length > MOST_VALUES ? `, … (${data.length} values)` : "");
}
