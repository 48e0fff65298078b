#!/usr/bin/env node
/** Presents a document of a sandbox and prints the outcome; the exit codes are those of makul-client. */

import { parseArgs } from "node:util";

import { MakulFault, connect, getPersonData } from "./makul.mjs";
import { prepared } from "./sandbox.mjs";

const USAGE = `\
node get-person-data.mjs --sandbox DIR [--paper NAME] [--client ID] [--wsdl FILE] [--reveal]

  --sandbox  where "makul sandbox --dir DIR" put its files
  --paper    which of its documents to present (bank-00-data)
  --client   another X-Road client than the document's own: INSTANCE/CLASS/MEMBER/SUBSYSTEM
  --wsdl     a WSDL file instead of the served one
  --reveal   print the data, not only their names
`;
const DONE = 0, NO = 1, USE = 2, LATER = 3, REJECTED = 5;

process.exitCode = await main();

async function main() {
  let task;
  try {
    task = read();
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return USE;
  }
  try {
    const client = await connect(task.wsdl, task.url);
    return report(await getPersonData(client, task.parties, task.question), task.reveal);
  } catch (error) {
    return complain(error);
  }
}

function read() {
  const text = { type: "string" };
  const { values } = parseArgs({
    options: {
      sandbox: text,
      paper: { ...text, default: "bank-00-data" },
      client: text,
      wsdl: text,
      reveal: { type: "boolean", default: false },
    },
  });
  if (values.sandbox === undefined) {
    throw new Error("--sandbox is missing");
  }
  const { url, parties, question } = prepared(values.sandbox, values.paper);
  return {
    url,
    question,
    parties: { ...parties, client: values.client ?? parties.client },
    wsdl: values.wsdl ?? `${url}?wsdl=xroad`,
    reveal: values.reveal,
  };
}

function report({ outcome, disclosureId, reason, person = {} }, reveal) {
  console.log(`outcome: ${outcome}`);
  console.log(`disclosure: ${disclosureId}`);
  reason.forEach((each) => console.log(`reason: ${format(each)}`));
  if (outcome === "RELEASED") {
    console.log(`attributes: ${Object.keys(person).join(" ")}`);
  }
  if (reveal) {
    console.log(JSON.stringify(person, null, 2));
  }
  if (outcome === "UNDETERMINED" || (outcome === "REFUSED" && isForLater(reason))) {
    return LATER;
  }
  return outcome === "RELEASED" ? DONE : NO;
}

function complain(error) {
  if (!(error instanceof MakulFault)) {
    console.error(error.message);
    return LATER;
  }
  const lines = error.reasons.length > 0 ? error.reasons.map(format) : [error.message];
  lines.forEach((line) => console.error(`fault: ${line}`));
  return isForLater(error.reasons) ? LATER : REJECTED;
}

/** A program decides by `code` and `retry`; `text` is for the person at the desk. */
function format({ code, because, field, text }) {
  const more = [because, field].filter(Boolean).join(", ");
  return `${code}${more && ` (${more})`} ${text.en}`;
}

/** Later helps only where nothing but time is missing: every reason says L. */
function isForLater(reasons) {
  return reasons.length > 0 && reasons.every(({ retry }) => retry === "L");
}
