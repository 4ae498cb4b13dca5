/** Live figures of each version, from /metrics, which has the sums over all workers. */

import { send } from "./api.js";
import { find, h, milliseconds, number } from "./dom.js";

const PERIOD = 2000; // milliseconds from one look to the next
const LOOKS = 6; // the figures are those between the first and the last: ten seconds

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
        const now = versions(samples).join();
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

/** The samples of a text in Prometheus's format: [name, labels, value]. */
function parse(text) {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, inside = "", value]) => {
    const labels = [...inside.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)].map(([, key, said]) => [key, said]);
    return [name, Object.fromEntries(labels), Number(value)];
  });
}

const versions = (samples) =>
  samples
    .filter(([name, , value]) => name === "onnxlet_model_version_ready" && value)
    .map(([, { model, version }]) => `${model}/${version}`);

/** The sum of a metric for one version. */
const sum = (samples, metric, id, more = () => true) =>
  samples.reduce((total, [name, labels, value]) =>
    name === metric && `${labels.model}/${labels.version}` === id && more(labels) ? total + value : total, 0);

function show(before, after, model) {
  const seconds = (after.at - before.at) / 1000;
  const rows = versions(after.samples).filter((id) => id.split("/")[0] === model).map((id) => {
    const risen = (metric, more) => sum(after.samples, metric, id, more) - sum(before.samples, metric, id, more);
    const buckets = [...new Set(after.samples.filter(([name]) => name === "onnxlet_request_seconds_bucket").map(([, { le }]) => le))]
      .map((le) => [Number(le.replace("+Inf", "Infinity")), risen("onnxlet_request_seconds_bucket", (labels) => labels.le === le)]);
    const runs = risen("onnxlet_run_rows_count");
    return [
      id.split("/")[1],
      seconds ? number(risen("onnxlet_requests_total") / seconds, 1) : "–",
      quantile(buckets, 0.5),
      quantile(buckets, 0.99),
      runs ? number(risen("onnxlet_run_rows_sum") / runs, 1) : "–",
    ];
  });
  const titles = ["Version", "Requests/s", "p50", "p99", "Rows/run"];
  find("figures").replaceChildren(
    h("table", {},
      h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, rows.map(([name, ...cells]) =>
        h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)))))));
}

/** A quantile in milliseconds, taken as spread evenly within its bucket. */
function quantile(buckets, part) {
  const wanted = (buckets.at(-1)?.[1] ?? 0) * part;
  if (!wanted) return "–";
  const i = buckets.findIndex(([, count]) => count >= wanted);
  const [low, below] = i ? buckets[i - 1] : [0, 0];
  const [high, count] = buckets[i];
  return high === Infinity ? `> ${milliseconds(low * 1000)}` : milliseconds((low + ((high - low) * (wanted - below)) / (count - below)) * 1000);
}
