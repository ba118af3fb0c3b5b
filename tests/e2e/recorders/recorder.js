// Appends what Node's own parser makes of each request to a file: one JSON line each.
"use strict";
const fs = require("node:fs");
const http = require("node:http");

const [port, path] = process.argv.slice(2);
http
  .createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces).toString("base64");
      const seen = { method: request.method, target: request.url, body };
      fs.appendFileSync(path, JSON.stringify(seen) + "\n");
      response.end("ok");
    });
  })
  .listen(Number(port), "127.0.0.1");
