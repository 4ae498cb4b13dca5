/** Live figures of each version: sums over all workers. */

import { send } from "./api.js";
import { find, h, milliseconds, number } from "./dom.js";

const PERIOD = 5000; // milliseconds from one look to the next
const SECONDS = "onnxlet_request_duration_seconds_bucket";
const LOOKS = 3; // the figures are those between the first and the last: ten seconds

/**
 * Show figures of the model `name()` while the page is visible. `heard(error)` is called after
 * each look; `changed()` when other versions are served than before.
 */
export function watch(heard, name, changed) {
	const looks = [];
	let served;
	const look = async () => {
		if (!document.hidden)
			try {
				const samples = parse((await send({ path: "metrics" })).text);
				looks.push({ at: performance.now(), samples });
				if (looks.length > LOOKS) looks.shift();
				show(looks[0], looks.at(-1), name());
				heard(null);
				const now = ready(samples)
					.map(({ model, version }) => `${model}/${version}`)
					.join();
				if (served !== undefined && served !== now) changed();
				served = now;
			} catch (error) {
				looks.length = 0;
				heard(error);
			}
		setTimeout(look, PERIOD);
	};
	look();
}

/** The samples of a text in Prometheus's format. */
function parse(text) {
	return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, inside = "", value]) => {
		const labels = inside.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g);
		const named = Object.fromEntries([...labels].map(([, key, text]) => [key, text]));
		return { ...named, name, value: Number(value) };
	});
}

const ready = (samples) =>
	samples.filter(({ name, value }) => name === "onnxlet_model_version_ready" && value);

function show(before, after, model) {
	const seconds = (after.at - before.at) / 1000;
	const rows = ready(after.samples)
		.filter((one) => one.model === model)
		.map(({ version }) => {
			const own = ({ samples }, metric) =>
				samples
					.filter((one) => one.name === metric && one.model === model)
					.filter((one) => one.version === version);
			const of = (look, metric, le) =>
				own(look, metric)
					.filter((one) => one.le === le)
					.reduce((sum, { value }) => sum + value, 0);
			const risen = (metric, le) => of(after, metric, le) - of(before, metric, le);
			const bounds = new Set(own(after, SECONDS).map(({ le }) => le));
			const buckets = [...bounds].map((le) => [
				Number(le.replace("+Inf", "Infinity")),
				risen(SECONDS, le),
			]);
			const runs = risen("onnxlet_batch_rows_count");
			return [
				version,
				seconds ? number(risen("onnxlet_requests_total") / seconds, 1) : "–",
				quantile(buckets, 0.5),
				quantile(buckets, 0.99),
				runs ? number(risen("onnxlet_batch_rows_sum") / runs, 1) : "–",
				drift(own(after, "onnxlet_drift")),
			];
		});
	find("figures").replaceChildren(table(rows));
}

/** The largest distance of a measure, which the title names. */
function drift(samples) {
	const [largest] = samples.sort((one, other) => other.value - one.value);
	return largest ? h("span", { title: largest.measure }, number(largest.value, 2)) : "–";
}

function table(rows) {
	const titles = ["Version", "Requests/s", "p50", "p99", "Rows/run", "Drift"];
	const head = titles.map((title) => h("th", { scope: "col" }, title));
	const body = rows.map(([version, ...cells]) => {
		const values = cells.map((cell) => h("td", {}, cell));
		return h("tr", {}, h("th", { scope: "row" }, version), values);
	});
	return h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body));
}

/** A quantile in milliseconds, taken as spread evenly within its bucket. */
function quantile(buckets, part) {
	const wanted = (buckets.at(-1)?.[1] ?? 0) * part;
	if (!wanted) return "–";
	const i = buckets.findIndex(([, count]) => count >= wanted);
	const [low, below] = buckets[i - 1] ?? [0, 0];
	const [high, count] = buckets[i];
	if (high === Infinity) return `> ${milliseconds(low * 1000)}`;
	return milliseconds((low + ((high - low) * (wanted - below)) / (count - below)) * 1000);
}
