/** How the server is, and what is wrong, where everybody sees it. */

import { Refused, Unreachable, send, useKey } from "./api.js";
import { find, h } from "./dom.js";

const NAMES = {
	waiting: "Connecting",
	ready: "Ready",
	busy: "Overloaded",
	refused: "Refused",
	down: "Not reachable",
};
const PAUSE = 1000; // milliseconds between two tries to reach the server

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export const current = () => find("state").dataset.state;

/** Show a state, with a message unless all is well. */
export function report(state, message = "") {
	const [badge, notice] = [find("state"), find("notice")];
	if (badge.dataset.state !== state) badge.textContent = NAMES[state];
	badge.dataset.state = state;
	if (notice.textContent === message && !notice.hidden) return; // nothing to be read out again
	notice.replaceChildren(message);
	notice.hidden = !message;
}

export const reportDown = () =>
	report("down", "The server does not answer. Trying again until it does.");

/** Say what is wrong, and wait where that helps. Returns whether to send the request again. */
export async function failed(error) {
	if (error instanceof Unreachable) {
		reportDown();
		await untilReachable();
		report("ready");
		return true;
	}
	if (!(error instanceof Refused)) throw error;
	if (error.status === 429) {
		const seconds = error.retryAfter || 1;
		report(
			"busy",
			`The server has too much to do: ${error.message}. Trying again in ${seconds} s.`,
		);
		await pause(seconds * 1000);
		return true;
	}
	report("refused", `The server refused the request (${error.status}): ${error.message}`);
	if (error.status === 401) await askForKey();
	return error.status === 401;
}

async function untilReachable() {
	for (;;) {
		await pause(PAUSE);
		try {
			await send({ path: "v2/health/live" });
			return;
		} catch {
			// not yet
		}
	}
}

function askForKey() {
	return new Promise((done) => {
		const input = h("input", { type: "password", autocomplete: "off", required: true });
		const submitted = (event) => {
			event.preventDefault();
			useKey(input.value);
			done();
		};
		find("notice").append(
			h(
				"form",
				{ class: "key", submit: submitted },
				h("label", {}, "API key ", input),
				h("button", {}, "Use this key"),
			),
		);
	});
}
