// Reads one message a line (carriage returns as U+0001) with node-hl7-client; one word a line.
import { readFileSync } from "node:fs";
import { Message } from "node-hl7-client";

for (const line of readFileSync(process.argv[2], "utf8").split("\n")) {
  try {
    const message = new Message({ text: line.replaceAll("\u0001", "\r") });
    console.log(message.get("MSA.2").toString() === "M1" ? "read" : "no MSA-2");
  } catch (error) {
    console.log(error.constructor.name);
  }
}
