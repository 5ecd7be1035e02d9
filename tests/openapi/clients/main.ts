// Calls the application of tests/openapi/everything.py, as its users would: types come from its document alone.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Schemas = components["schemas"];

const baseUrl = process.argv[2]!;
// Errors are problem details for programs, and pages for browsers only.
const client = createClient<paths, `application/${string}` | "text/event-stream">({ baseUrl });
const seen: Record<string, unknown> = {};

const taken = await client.POST("/body/struct", {
  params: { query: { dry: true } },
  body: { customer: "Ada", lines: [{ sku: "BAR-2019" }] },
});
if (taken.data) {
  const order: Schemas["Order"] = taken.data;
  // A field with a default need not be sent, and so may be absent for a client that sends it.
  const quantity: number | undefined = order.lines[0]?.qty;
  seen.success = [taken.response.status, order.customer, quantity, order.state];
}

const refused = await client.POST("/body/struct", { body: { customer: "", lines: [{ sku: "x", qty: 0 }] } });
if (refused.error && "errors" in refused.error) {
  const problem: Schemas["ValidationProblem"] = refused.error;
  const codes: Schemas["InvalidValue"]["code"][] = problem.errors.map((each) => each.code);
  seen.invalid = [refused.response.status, problem.errors.map((each) => each.pointer), codes];
}

const missing = await client.GET("/result/variants/{number}", { params: { path: { number: 9 } } });
if (missing.error) seen.missing = [missing.response.status, missing.error.title];

const file = await client.GET("/result/download", { params: { query: { name: "bill" } }, parseAs: "blob" });
if (file.data) seen.file = [file.data.type, file.data.size];

const form = new FormData();
form.append("photo", new Blob(["12345"]), "boat.png");
const upload = await client.POST("/form/file", {
  body: { photo: "" },
  bodySerializer: () => form,
});
seen.upload = upload.data?.["size"];

const events = await client.GET("/result/events", { params: { query: { count: 2 } }, parseAs: "stream" });
if (events.data) {
  const stream: ReadableStream<Uint8Array> = events.data;
  let text = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += decoder.decode(piece.value, { stream: true });
  }
  seen.stream = text.split("\n\n").filter(Boolean);
}

// @ts-expect-error A body without its required field does not compile.
const incomplete: Schemas["Order"] = { lines: [] };
seen.incomplete = "customer" in incomplete;

console.log(JSON.stringify(seen));
