/** The last request as code that can be pasted. */

import { hasKey, url } from "./api.js";

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Code that posts a request, in "curl", "python" or "javascript". A key is taken from $API_KEY. */
export const snippet = (language, { path, body }) =>
	({ curl, python, javascript })[language](url(path), body);

const curl = (address, body) =>
	[
		`curl ${shell(address)}`,
		...(hasKey() ? ['-H "Authorization: Bearer $API_KEY"'] : []),
		"-H 'Content-Type: application/json'",
		`-d ${shell(body)}`,
	].join(" \\\n  ");

function python(address, body) {
	const key = `, "Authorization": "Bearer " + os.environ["API_KEY"]`;
	const text = /\\|'''/.test(body) ? JSON.stringify(body) : `'''${body}'''`;
	return `import json
${hasKey() ? "import os\n" : ""}from urllib.request import Request, urlopen

url = ${JSON.stringify(address)}
headers = {"Content-Type": "application/json"${hasKey() ? key : ""}}
body = ${text}
with urlopen(Request(url, body.encode(), headers)) as response:
    print(json.load(response))`;
}

function javascript(address, body) {
	const key = ", Authorization: `Bearer ${process.env.API_KEY}`";
	return `const response = await fetch(${JSON.stringify(address)}, {
  method: "POST",
  headers: {"Content-Type": "application/json"${hasKey() ? key : ""}},
  body: JSON.stringify(${body}),
});
console.log(await response.json());`;
}
