/** A form made of a model's metadata; a JSON editor where a form would not do. */

import { h, number } from "./dom.js";

const MOST = 64; // fields of one input

/** Does each input have a known, small number of features a row? */
export const fits = ({ inputs }) =>
  inputs.every(({ shape }) => shape[0] === -1 && shape.length <= 2 && (shape[1] ?? 1) > 0 && (shape[1] ?? 1) <= MOST);

/**
 * Fields for one row. `example` is a request, whose rows can be chosen one after the other.
 * Returns the elements, and `body()`: the text of a request of the Open Inference Protocol.
 */
export function fields(metadata, example) {
  const groups = metadata.inputs.map((input, i) => group(input, example.inputs[i]));
  const rows = example.inputs[0].shape[0];
  let row = 0;
  const next = () => {
    row = (row + 1) % rows;
    groups.forEach(({ fill }) => fill(row));
  };
  groups.forEach(({ fill }) => fill(0));
  const more = rows > 1 ? h("button", { type: "button", click: next }, "Next example") : null;
  return {
    elements: [...groups.map(({ element }) => element), h("div", { class: "tools" }, send(), more)],
    body: () => `{"inputs": [\n ${groups.map(({ text }) => text()).join(",\n ")}\n]}`,
  };
}

function group({ name, datatype, shape, range }, { data }) {
  const width = shape[1] ?? 1;
  const isFlag = datatype === "BOOL";
  const step = /INT/.test(datatype) ? 1 : "any";
  const [min, max] = range ?? [];
  const inputs = Array.from({ length: width }, () =>
    h("input", isFlag ? { type: "checkbox" } : { type: "number", required: true, step, min, max, inputmode: "decimal" }));
  const labels = inputs.map((input, i) => h("label", {}, h("span", {}, shape.length > 1 ? `${name} [${i}]` : name), input));
  const bounds = range ? `, ${number(min, 0)} to ${number(max, 0)}` : "";
  return {
    element: h("fieldset", { class: "fields" }, h("legend", { class: shape.length > 1 ? null : "hidden" }, name, h("small", {}, ` ${datatype}${bounds}`)), labels),
    fill: (row) =>
      inputs.forEach((input, i) => {
        const value = data[row * width + i];
        if (isFlag) input.checked = value;
        else input.value = value;
      }),
    text: () => {
      const values = inputs.map((input) => (isFlag ? String(input.checked) : input.value));
      const size = JSON.stringify([1, ...shape.slice(1)]);
      return `{"name": ${JSON.stringify(name)}, "datatype": "${datatype}", "shape": ${size}, "data": [${values.join(", ")}]}`;
    },
  };
}

/** A text area with a request that the model can answer. */
export function editor(example) {
  const area = h("textarea", { id: "json", spellcheck: "false", rows: 14, "aria-describedby": "json-help" });
  area.value = layOut(example);
  return {
    elements: [
      h("label", { for: "json" }, "Request of the Open Inference Protocol"),
      area,
      h("p", { id: "json-help", class: "faint" }, "The example is one that the model was published with, or zeros."),
      h("div", { class: "tools" }, send()),
    ],
    body: () => area.value,
  };
}

const send = () => h("button", { class: "primary" }, "Send");

/** The first row alone, if the model takes any number of them: short enough to be edited. */
function layOut({ inputs }) {
  const lines = inputs.map(({ name, datatype, shape, data }) => {
    const values = JSON.stringify(data).replaceAll(",", ", ");
    return `  {"name": ${JSON.stringify(name)}, "datatype": "${datatype}", "shape": ${JSON.stringify(shape)},\n   "data": ${values}}`;
  });
  return `{"inputs": [\n${lines.join(",\n")}\n]}`;
}

/** The first row of an example. Batches of a fixed size stay whole. */
export function firstRow(example, metadata) {
  return {
    inputs: example.inputs.map((tensor, i) => {
      if (metadata.inputs[i].shape[0] !== -1) return tensor;
      const [rows, ...shape] = tensor.shape;
      return { ...tensor, shape: [1, ...shape], data: tensor.data.slice(0, tensor.data.length / rows) };
    }),
  };
}
