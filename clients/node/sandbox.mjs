/** The files of a sandbox: its addresses, its parties, and documents that are ready for a request. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the address, the parties and the question for a document; throws if there is none. */
export function prepared(directory, name) {
  const { format, urls, operator, ...index } = JSON.parse(readFileSync(join(directory, "sandbox.json"), "utf8"));
  if (format !== "makul-sandbox/1") {
    throw new Error(`sandbox.json is ${format}, not makul-sandbox/1`);
  }
  const paper = index.papers.find((each) => each.name === name);
  if (paper?.operation !== "GetPersonData") {
    throw new Error(`no document ${name} for GetPersonData in sandbox.json`);
  }
  const bearer = index.parties.find((each) => each.key === paper.presentedBy);
  const citizen = index.citizens.find((each) => each.number === paper.citizen);
  const document = readFileSync(join(directory, paper.file)).toString("base64");
  return {
    url: urls.xroad,
    parties: { client: bearer.xroadClient, service: operator.xroadService, employee: "example-teller" },
    question: {
      agreementNumber: bearer.agreement.number,
      purpose: paper.purpose,
      probe: { demographic: { pin: citizen.pin, documentNumber: citizen.documentNumber } },
      // The document's exact bytes: a document that is parsed and written again is no longer what was signed.
      ground: { [paper.kind === "CONSENT" ? "consentDocument" : "basisDocument"]: document },
      requestedAttributes: { attribute: paper.attributes },
    },
  };
}
