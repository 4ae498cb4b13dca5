/** The last request as code that can be pasted. */

import { hasKey, url } from "./api.js";

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const quoted = (text) => JSON.stringify(text);
const KINDS = { curl, python, javascript };

/** Code for a request in "curl", "python" or "javascript". A key is taken from $API_KEY. */
export function snippet(language, { method = "GET", path, body }) {
  return KINDS[language](method, url(path), body);
}

function curl(method, address, body) {
  const lines = [`curl ${method === "GET" || body !== undefined ? "" : `-X ${method} `}${shell(address)}`];
  if (hasKey()) lines.push(`  -H "Authorization: Bearer $API_KEY"`);
  if (body !== undefined) lines.push(`  -H 'Content-Type: application/json'`, `  -d ${shell(body)}`);
  return lines.join(" \\\n");
}

function python(method, address, body) {
  const headers = [`"Content-Type": "application/json"`];
  if (hasKey()) headers.push(`"Authorization": "Bearer " + os.environ["API_KEY"]`);
  const plain = body !== undefined && !/\\|'''/.test(body);
  return `import json${hasKey() ? "\nimport os" : ""}
from urllib.request import Request, urlopen

url = ${quoted(address)}
headers = {${headers.join(", ")}}
${body === undefined ? "body = None" : `body = ${plain ? `'''${body}'''` : quoted(body)}.encode()`}
with urlopen(Request(url, body, headers, method=${quoted(method)})) as response:
    print(json.load(response))`;
}

function javascript(method, address, body) {
  const headers = [`"Content-Type": "application/json"`];
  if (hasKey()) headers.push("Authorization: `Bearer ${process.env.API_KEY}`");
  return `const response = await fetch(${quoted(address)}, {
  method: ${quoted(method)},
  headers: {${headers.join(", ")}},${body === undefined ? "" : `\n  body: JSON.stringify(${body}),`}
});
console.log(await response.json());`;
}
