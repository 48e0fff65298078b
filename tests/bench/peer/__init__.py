"""The naive peer gives the same answer by a service that a developer would write in an afternoon.

It exists only to be measured beside Makul. It uses standard Spyne with its generated envelope and
lxml validation; signxml's `XMLVerifier` for the message and `XAdESVerifier` for the consent, each
of which builds the certificate's path again from `ca_pem_file`; SQLAlchemy's ORM; `XAdESSigner`
for the receipt; no cache; and gunicorn's threaded worker.

Its work is real. It verifies both signatures, reads and compares recipient, agreement, consent and
person, inserts and commits a row, signs a receipt, and only then returns the same attributes of the
same citizens. It loads its keys once and turns on SQLite's write-ahead log, which such a program
might forget.

Makul does the following in the same request, and the peer omits it:

* revocation (CRL, OCSP), extended key usage, policies, key sizes: any path that builds is enough;
* reading only what was verified: it reads the whole envelope from Spyne, so wrapping works, and it
  does not check the message's age or replay;
* notices, usage counters, revoked consents, quotas, limits on attempts, the powers of the caller,
  every ground and channel but a consent over WS-Security;
* request ids: a repeated one discloses again; rights that end between decision and commit;
* evidence and validation reports, encrypted fields, a leaf in the ledger, reasons and clauses;
* one answer for "unknown" and "does not match"; limits on size, DTDs, the content of a fault.
"""

NAMESPACE = "urn:peer"

AUTHORITIES = "ca.pem"
KEY = "receipt.key.pem"
CERTIFICATE = "receipt.cert.pem"
DATABASE = "url"
"""The files of its directory."""
