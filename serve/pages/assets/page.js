/** The page at /: choose a model, ask it, and see what it answers. */

import { ask, serverTime } from "./api.js";
import { showCard } from "./card.js";
import { normalize, paint } from "./digit.js";
import { chosen, copy, find, h, milliseconds } from "./dom.js";
import * as files from "./files.js";
import { editor, fields, firstRow, fits } from "./form.js";
import { bodyOf, imagesOf, rangeOf, sideOf } from "./images.js";
import { watch } from "./live.js";
import { Pad } from "./pad.js";
import { seen, showGrid, showPrediction, showScores, showTensors, spoken } from "./result.js";
import { snippet } from "./snippets.js";
import * as status from "./status.js";

const model = {}; // name, version, metadata, example, labels, side, range
let request = null; // the last one
let pending = null; // what to send next; only the newest counts
let isSending = false;
let items = null; // the images that were sent last, with their names
let form;

const pad = new Pad(find("pad"), drawn);

// Choice of the model

async function loadIndex() {
	const { json } = await ask({ method: "POST", path: "v2/repository/index" });
	const ready = json.filter(({ state }) => state === "READY");
	const names = [...new Set(ready.map(({ name }) => name))];
	fillSelect(
		find("model"),
		names.map((name) => [name, name]),
		names.includes(model.name) ? model.name : names[0],
	);
	fillVersions(json);
	await loadModel();
}

function fillVersions(index) {
	const own = index.filter(({ name }) => name === find("model").value).reverse();
	const newest = own.find(({ state }) => state === "READY")?.version;
	const options = own.map(({ version, state, reason }) => [
		version,
		state === "READY" ? version : `${version} (not served)`,
		reason,
	]);
	fillSelect(find("version"), [["", `newest (${newest})`], ...options], model.version ?? "");
}

function fillSelect(select, options, value) {
	select.replaceChildren(
		...options.map(([key, text, reason]) =>
			h("option", { value: key, disabled: Boolean(reason), title: reason }, text),
		),
	);
	select.value = value;
	if (select.selectedIndex < 0) select.selectedIndex = 0;
}

async function loadModel() {
	const [name, version] = [find("model").value, find("version").value];
	const path = `v2/models/${encodeURIComponent(name)}${version ? `/versions/${version}` : ""}`;
	const [{ json: metadata }, { json: example }] = await Promise.all([
		ask({ path }),
		ask({ path: `${path}/example` }),
	]);
	if (name !== find("model").value || version !== find("version").value) return; // chosen anew
	const side = sideOf(metadata);
	const classes = metadata.outputs[0].shape.at(-1);
	const labels = metadata.labels ?? Object.keys([...Array(Math.max(classes, 0))]);
	if (side !== model.side) pad.clear();
	const tensors = JSON.stringify([name, metadata.inputs, metadata.outputs, metadata.features]);
	const isSame = tensors === model.tensors;
	Object.assign(model, {
		tensors,
		name,
		version,
		path,
		metadata,
		example,
		labels,
		side,
		range: rangeOf(metadata.inputs[0], example),
	});
	document.title = `${name} – onnxlet`;
	showCard(metadata);
	find("modes").hidden = !side;
	if (!isSame) showMode();
	else if (items && !find("draw").hidden) sendImages(items); // what is typed stays
}

function showMode() {
	const isDrawn = Boolean(model.side) && chosen("mode") === "draw";
	find("input-title").textContent = isDrawn ? "Draw a digit" : "Ask the model";
	find("draw").hidden = find("examples").hidden = !isDrawn;
	find("form").hidden = isDrawn;
	showNoAnswer(isDrawn ? "The answer appears here while you draw." : "Send a request first.");
	if (isDrawn) showSamples();
	else showForm();
	if (isDrawn && items) sendImages(items);
}

function showNoAnswer(why) {
	find("result").replaceChildren(h("p", { class: "faint" }, why));
	find("timing").textContent = find("spoken").textContent = "";
}

function showForm() {
	form =
		fits(model.metadata) && !model.side
			? fields(model.metadata, model.example)
			: editor(firstRow(model.example, model.metadata));
	find("form").replaceChildren(...form.elements);
}

// Images

function showSamples() {
	const images = imagesOf(model.example, model.range, model.side);
	find("examples-title").hidden = !images.length;
	find("samples").replaceChildren(
		...images.map((image, i) =>
			h(
				"button",
				{
					type: "button",
					"aria-label": `Test image ${i + 1}`,
					click: () => sendPictures([{ name: "", image }]),
				},
				paint(h("canvas"), image, model.side),
			),
		),
	);
}

function drawn(isFinished) {
	find("pad-hint").hidden = !pad.isEmpty;
	if (pad.isEmpty) {
		pending = items = null;
		showNoAnswer("The answer appears here while you draw.");
	} else if (pad.strokes.length) {
		sendImages([{ name: "", image: normalize(pad.ink(), model.side) }], isFinished);
	}
}

async function sendFiles(list) {
	if (find("draw").hidden) return;
	try {
		sendPictures(await files.read(list, model.side));
	} catch (error) {
		status.report("refused", error.message);
	}
}

function sendPictures(images) {
	pad.clear();
	if (images.length === 1) pad.show(paint(h("canvas"), images[0].image, model.side));
	sendImages(images);
}

function sendImages(images, isFinished = true) {
	items = images;
	const { side, labels } = model;
	const body = bodyOf(
		images.map(({ image }) => image),
		model.metadata.inputs[0],
		model.range,
		side,
	);
	find("pad-hint").hidden = !pad.isEmpty;
	submit({ method: "POST", path: predictPath(), body }, ({ json }) => {
		if (!items) return; // cleared meanwhile
		const rows = json.probabilities;
		if (images.length > 1) showGrid(find("result"), images, rows, labels, side);
		else showScores(find("result"), rows[0], labels, seen(images[0].image, side));
		if (isFinished) find("spoken").textContent = rows.map((row) => spoken(row, labels)).join("; ");
	});
}

// Requests

function predictPath() {
	const { name, version } = model;
	return `predict?${new URLSearchParams({ model: name, ...(version && { version }) })}`;
}

/** Send a request, and show its answer. While one is under way, only the newest waits. */
async function submit(newest, show) {
	pending = { request: newest, show };
	if (isSending) return;
	isSending = true;
	while (pending) {
		const current = pending;
		pending = null;
		request = current.request;
		showCode();
		try {
			const answer = await ask(request);
			status.report("ready");
			current.show(answer);
			showTiming(answer);
		} catch (error) {
			if (await status.failed(error)) pending ??= current;
		}
	}
	isSending = false;
}

function showTiming({ ms, headers }) {
	const version = headers.get("X-Model-Version");
	find("timing").textContent =
		`${milliseconds(ms)} round trip · ${milliseconds(serverTime(headers))} server · version ${version}`;
}

function showCode() {
	if (request) find("code").textContent = snippet(chosen("language"), request);
}

// What the user does

const on = (id, event, act) => find(id).addEventListener(event, act);

on("model", "change", () => {
	Object.assign(model, { name: find("model").value, version: "" });
	attempt(loadIndex);
});
on("version", "change", () => attempt(loadModel));
on("modes", "change", showMode);
on("undo", "click", () => pad.undo());
on("clear", "click", () => pad.clear());
on("choose", "click", () => find("files").click());
on("files", "change", ({ target }) => {
	sendFiles([...target.files]);
	target.value = "";
});
files.listen(sendFiles);
on("form", "submit", (event) => {
	event.preventDefault();
	const path = form.isTable ? predictPath() : `${model.path}/infer`;
	submit({ method: "POST", path, body: form.body() }, ({ json }) => {
		if (json.predictions) showPrediction(find("result"), json, model.labels);
		else showTensors(find("result"), json.outputs, model.metadata.labels);
		find("spoken").textContent = find("result").textContent;
	});
});
on("request", "change", showCode);
on("copy", "click", async ({ target }) => {
	await copy(find("code").textContent);
	target.textContent = "Copied";
	setTimeout(() => (target.textContent = "Copy"), 1500);
});

/** Load something; while the server is away, try again. */
async function attempt(load) {
	for (;;)
		try {
			await load();
			return status.report("ready");
		} catch (error) {
			if (!(await status.failed(error))) return;
		}
}

attempt(async () => {
	await loadIndex();
	const { json } = await ask({ path: "v2" });
	find("server").textContent = `${json.name} ${json.version}`;
});
watch(
	(error) => {
		if (error) status.reportDown();
		else if (status.current() === "down") status.report("ready");
	},
	() => model.name,
	() => attempt(loadIndex),
);
