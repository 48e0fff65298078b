/**
 * Asks Makul for a person's data by way of X-Road. This is the file to take over into your own code:
 * it knows the contract, and nothing of sandboxes or command lines.
 */

import { randomUUID } from "node:crypto";

import soap from "soap";

const XROAD = "http://x-road.eu/xsd/xroad.xsd";
const IDENTIFIERS = "http://x-road.eu/xsd/identifiers";
const TIMEOUT_MS = 30_000;

/** The message was not accepted: its form, its signature, or who sent it. A refusal is not a fault. */
export class MakulFault extends Error {
  /** @param {string} text the faultstring  @param {object[]} reasons empty where the fault is X-Road's own */
  constructor(text, reasons) {
    super(text);
    this.reasons = reasons;
  }
}

/** A client from the WSDL, served or in a file; `endpoint` is your own security server. */
export async function connect(wsdl, endpoint) {
  return soap.createClientAsync(wsdl, { endpoint });
}

/**
 * GetPersonData: the decision as the WSDL has it, whether data were released or not.
 *
 * `parties` names who asks whom: `{ client, service, employee, caseNumber? }`, the first two written
 * INSTANCE/CLASS/MEMBER/SUBSYSTEM. `question` is the request without its `requestId`, its keys in the
 * order of the schema. To repeat a request whose answer was lost, send the same under the same id: the
 * service answers again what it decided, and counts it once. So keep the id before you send.
 */
export async function getPersonData(client, parties, question, requestId = randomUUID()) {
  client.clearSoapHeaders();
  for (const header of headers(parties, "GetPersonData", requestId)) {
    client.addSoapHeader(header, null, "xrd", XROAD);
  }
  const answer = await sent(client.GetPersonDataAsync({ requestId, ...question }, { timeout: TIMEOUT_MS }));
  if (answer?.requestId !== requestId) {
    throw new Error("this is not the answer to the request");
  }
  return { ...answer, reason: list(answer.reason) };
}

/** The headers of the X-Road message protocol 4.0. `xrd:id` is the request's own id. */
function headers({ client, service, employee, caseNumber }, operation, requestId) {
  const optional = caseNumber === undefined ? [] : [{ issue: caseNumber }];
  return [
    { client: identifier("SUBSYSTEM", client) },
    { service: identifier("SERVICE", service, { serviceCode: operation, serviceVersion: "v1" }) },
    { id: requestId },
    { protocolVersion: "4.0" },
    { userId: employee }, // who asks, by name (Procedure, cl. 16)
    ...optional,
  ];
}

function identifier(objectType, written, more = {}) {
  const [xRoadInstance, memberClass, memberCode, subsystemCode] = written.split("/");
  const parts = Object.entries({ xRoadInstance, memberClass, memberCode, subsystemCode, ...more });
  return {
    attributes: { "id:objectType": objectType, "xmlns:id": IDENTIFIERS },
    ...Object.fromEntries(parts.map(([name, value]) => [`id:${name}`, value])),
  };
}

async function sent(call) {
  try {
    const [answer] = await call;
    return answer;
  } catch (error) {
    // The error of a fault quotes whole messages, personal data among them: only this much goes on.
    const fault = error.root?.Envelope?.Body?.Fault;
    if (fault === undefined) {
      throw new Error(`no answer: ${error.code ?? error.response?.status ?? error.name}`);
    }
    throw new MakulFault(fault.faultstring, list(fault.detail?.Fault?.reason));
  }
}

/** The package gives one repeated element alone, several as an array, and none not at all. */
function list(value) {
  return value === undefined ? [] : [value].flat();
}
