/** Make an element. A function among the attributes listens to the event of its name. */
export function h(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (typeof value === "function") element.addEventListener(name, value);
		else if (value === true) element.setAttribute(name, "");
		else if (value !== false && value != null) element.setAttribute(name, value);
	}
	element.append(...children.flat().filter((child) => child != null));
	return element;
}

export const find = (id) => document.getElementById(id);

/** Which of the radio buttons of this name is on. */
export const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;

export const number = (value, digits = 0) =>
	value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const percent = (part) => `${number(part * 100, 1)} %`;

/** A duration with three digits that count. */
export const milliseconds = (ms) => `${number(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;

/** Copy text; where the browser does not allow it (plain HTTP), by way of a selection. */
export async function copy(text) {
	if (navigator.clipboard) return navigator.clipboard.writeText(text);
	const area = h("textarea", { readonly: true, class: "hidden" });
	area.value = text;
	document.body.append(area);
	area.select();
	document.execCommand("copy");
	area.remove();
}
