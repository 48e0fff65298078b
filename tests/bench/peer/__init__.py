"""The naive peer: the same answer, by a service as one would write it in an afternoon.

It is there to be measured beside Makul, never to be used. Stock Spyne with its generated
envelope and lxml validation; signxml's `XMLVerifier` for the message and `XAdESVerifier` for the
consent, each building the certificate's path anew from `ca_pem_file`; SQLAlchemy's ORM;
`XAdESSigner` for the receipt; no cache; gunicorn's threaded worker, as Makul is served.

What it does, it does honestly: both signatures are verified, recipient, agreement, consent and
person are read and compared, a row is inserted and committed, a receipt is signed, and only then
are the same attributes of the same citizens answered. It loads its keys once and turns on SQLite's
write-ahead log, which such a programme might well forget.

What it omits, and Makul does in the same request:

* revocation (CRL, OCSP), extended key usage, policies, key sizes: a path that builds is enough;
* that what was verified is what is read: it reads the whole envelope, as Spyne hands it over, so
  wrapping works; the message's age and replay are not looked at;
* notices, use meters, revoked consents, quotas, limits on attempts, the powers of who asks, every
  other ground and channel than a consent over WS-Security;
* request ids: the same one discloses again; rights that end between decision and commit;
* evidence and validation reports, fields sealed at rest, a ledger's leaf, reasons and clauses;
* one answer for "unknown" and "does not match"; limits on size, DTDs, what a fault tells.
"""

NAMESPACE = "urn:peer"

AUTHORITIES = "ca.pem"
KEY = "receipt.key.pem"
CERTIFICATE = "receipt.cert.pem"
DATABASE = "url"
"""The files of its directory."""
