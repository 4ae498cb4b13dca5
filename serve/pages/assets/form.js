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
    body: () => bodyOf(groups.map(({ tensor }) => tensor())),
  };
}

function group({ name, datatype, shape, range }, { data }) {
  const width = shape[1] ?? 1;
  const isFlag = datatype === "BOOL";
  const step = /INT/.test(datatype) ? 1 : "any";
  const [min, max] = range ?? [];
  const inputs = Array.from({ length: width }, () =>
    h(
      "input",
      isFlag
        ? { type: "checkbox" }
        : { type: "number", required: true, step, min, max, inputmode: "decimal" },
    ),
  );
  const labels = inputs.map((input, i) =>
    h("label", {}, h("span", {}, shape.length > 1 ? `${name} [${i}]` : name), input),
  );
  const bounds = range ? `, ${number(min, 0)} to ${number(max, 0)}` : "";
  return {
    element: h(
      "fieldset",
      { class: "fields" },
      h(
        "legend",
        { class: shape.length > 1 ? null : "hidden" },
        name,
        h("small", {}, ` ${datatype}${bounds}`),
      ),
      labels,
    ),
    fill: (row) =>
      inputs.forEach((input, i) => {
        const value = data[row * width + i];
        if (isFlag) input.checked = value;
        else input.value = value;
      }),
    tensor: () => {
      const data = inputs.map((input) => (isFlag ? input.checked : input.value));
      return { name, datatype, shape: [1, ...shape.slice(1)], data };
    },
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
