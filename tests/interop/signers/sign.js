// Signs a consent by a library of the JavaScript world. Reads JSON from stdin:
// {tool, content, key (PKCS #8 PEM), certificate (base64 DER), kind: "EC" | "RSA", time};
// writes the signed document to stdout.
"use strict";

const { DOMParser, XMLSerializer } = require("@xmldom/xmldom");
const { createHash } = require("node:crypto");
const DS = "http://www.w3.org/2000/09/xmldsig#";
const XADES = "http://uri.etsi.org/01903/v1.3.2#";
const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256";
const MORE = "http://www.w3.org/2001/04/xmldsig-more#";

function byXmlCrypto(task) {
  const { SignedXml } = require("xml-crypto");
  const digest = createHash("sha256").update(Buffer.from(task.certificate, "base64")).digest("base64");
  const properties =
    `<x:QualifyingProperties xmlns:x="${XADES}" Target="#signature">` +
    `<x:SignedProperties Id="properties"><x:SignedSignatureProperties>` +
    `<x:SigningTime>${task.time}</x:SigningTime><x:SigningCertificateV2><x:Cert><x:CertDigest>` +
    `<ds:DigestMethod xmlns:ds="${DS}" Algorithm="${SHA256}"/>` +
    `<ds:DigestValue xmlns:ds="${DS}">${digest}</ds:DigestValue>` +
    `</x:CertDigest></x:Cert></x:SigningCertificateV2></x:SignedSignatureProperties>` +
    `</x:SignedProperties></x:QualifyingProperties>`;
  const signer = new SignedXml({
    privateKey: task.key,
    signatureAlgorithm: MORE + (task.kind === "EC" ? "ecdsa-sha256" : "rsa-sha256"),
    canonicalizationAlgorithm: EXCLUSIVE,
    getKeyInfoContent: () =>
      `<X509Data><X509Certificate>${task.certificate}</X509Certificate></X509Data>`,
    objects: [{ content: properties }],
  });
  if (task.kind === "EC") {
    signer.SignatureAlgorithms[MORE + "ecdsa-sha256"] = ecdsa();
  }
  signer.addReference({
    xpath: "/*",
    digestAlgorithm: SHA256,
    transforms: [DS + "enveloped-signature", EXCLUSIVE],
  });
  signer.addReference({
    xpath: "//*[local-name(.)='SignedProperties']",
    digestAlgorithm: SHA256,
    transforms: [EXCLUSIVE],
    type: "http://uri.etsi.org/01903#SignedProperties",
  });
  signer.computeSignature(task.content, { attrs: { Id: "signature" } });
  return signer.getSignedXml();
}

// xml-crypto lets its user add algorithms; r || s is what XML Signature 1.1 (6.4.3) wants.
function ecdsa() {
  const { sign } = require("node:crypto");
  return function EcdsaSha256() {
    this.getSignature = (octets, key) =>
      sign("sha256", Buffer.from(octets), { key, dsaEncoding: "ieee-p1363" }).toString("base64");
    this.getAlgorithmName = () => MORE + "ecdsa-sha256";
  };
}

async function byXadesJs(task) {
  const { Crypto } = require("@peculiar/webcrypto");
  const xades = require("xadesjs");
  const crypto = new Crypto();
  const dependencies = { DOMParser, XMLSerializer, xpath: require("xpath") };
  xades.setNodeDependencies(dependencies);
  const { createRequire } = require("node:module");
  createRequire(require.resolve("xmldsigjs"))("xml-core").setNodeDependencies(dependencies); // its own copy
  xades.Application.setEngine("Node.js", crypto);
  const algorithm =
    task.kind === "EC"
      ? { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
      : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const der = Buffer.from(task.key.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const document = new DOMParser().parseFromString(task.content, "application/xml");
  const signed = new xades.SignedXml();
  await signed.Sign(algorithm, key, document, {
    references: [{ hash: "SHA-256", uri: "", transforms: ["enveloped", "exc-c14n"] }],
    x509: [task.certificate],
    signingCertificateV2: task.certificate,
    signingTime: { value: new Date(task.time) },
  });
  document.documentElement.appendChild(document.importNode(signed.GetXml(), true));
  return new XMLSerializer().serializeToString(document);
}

const TOOLS = { "xml-crypto": byXmlCrypto, xadesjs: byXadesJs };

async function main() {
  const task = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.stdout.write(await TOOLS[task.tool](task));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
