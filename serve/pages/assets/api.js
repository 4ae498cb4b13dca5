/** Requests to the server, and what goes wrong with them. */

const SECONDS = 35; // the server's own limit is 30 by default

export class Unreachable extends Error {}

/** The server answered with an error. */
export class Refused extends Error {
	constructor(status, message, retryAfter) {
		super(message);
		this.status = status;
		/** Seconds after which to try again; 0 if the server does not say. */
		this.retryAfter = retryAfter;
	}
}

let key = "";

/** Send this API key with every request from now on. It is kept in memory alone. */
export function useKey(text) {
	key = text;
}

export const hasKey = () => Boolean(key);

/** An absolute URL of a path that is relative to this page. */
export const url = (path) => new URL(path, document.baseURI).href;

/**
 * Send a request; returns status, text, headers and milliseconds, also for errors.
 * Throws Unreachable if there is no answer.
 */
export async function send({ method = "GET", path, body, headers = {} }) {
	if (body !== undefined && !headers["Content-Type"])
		headers = { ...headers, "Content-Type": "application/json" };
	if (key) headers = { ...headers, Authorization: `Bearer ${key}` };
	const start = performance.now();
	try {
		const signal = AbortSignal.timeout(SECONDS * 1000);
		const response = await fetch(url(path), { method, body, headers, signal, cache: "no-store" });
		const text = await response.text();
		return {
			status: response.status,
			text,
			headers: response.headers,
			ms: performance.now() - start,
		};
	} catch {
		throw new Unreachable();
	}
}

/** Send a request; returns the answer, with its JSON. Throws Refused or Unreachable. */
export async function ask(request) {
	const answer = await send(request);
	let json;
	try {
		json = JSON.parse(answer.text);
	} catch {
		json = {};
	}
	if (answer.status >= 400) {
		const message =
			json.error ?? json.message ?? `The server answered with status ${answer.status}.`;
		throw new Refused(answer.status, message, Number(answer.headers.get("Retry-After")));
	}
	return { ...answer, json };
}

/** Milliseconds that the server worked on a request, of its Server-Timing header. */
export function serverTime(headers) {
	const parts = (headers.get("Server-Timing") ?? "").matchAll(/dur=([\d.]+)/g);
	return [...parts].reduce((sum, [, ms]) => sum + Number(ms), 0);
}
