"""The boilerplate of a decision's record, used as the dictionary of its compression.

The most frequent text comes last, because RFC 1951 encodes near matches in fewer bits. The text may
be changed: each record names its dictionary, and the store keeps every dictionary
(`store.encryption.compression`).
"""

from typing import Final

_REPORT: Final = (
    '"indication":"INDETERMINATE","subIndication":"CERTIFICATE_CHAIN_GENERAL_FAILURE"'
    '"indication":"TOTAL-FAILED","subIndication":"HASH_FAILURE""SIG_CRYPTO_FAILURE"'
    '"status":"FAILED""RSA_SHA256"'
    '{"version":1,"indication":"TOTAL-PASSED","subIndication":null,"reason":null,"why":null,'
    '"field":null,"status":"PASSED","profile":"request","certificate":"","signatureMethod":"ECDSA_SHA256",'
    '"times":{"judgedAt":"+00:00","claimedSigningTime":"+00:00","proofOfExistence":null,'
    '"bestSignatureTime":"+00:00"},"checks":[{"check":"format","clause":"5.2.2","verdict":"passed"}'
    ',{"check":"identification","clause":"5.2.3","verdict":"passed"},'
    '{"check":"integrity","clause":"5.2.7","verdict":"passed"},'
    '{"check":"signing-certificate-reference","clause":"5.2.3","verdict":"passed"},'
    '{"check":"proof-of-existence","clause":"5.4, 5.5.4","verdict":"not run",'
    '"why":"none was given: judged for the present"},'
    '{"check":"cryptographic-constraints","clause":"5.2.8","verdict":"passed"},'
    '{"check":"signing-time","clause":"5.2.8","verdict":"passed"},'
    '{"check":"path","clause":"5.2.6","verdict":"passed"},'
    '{"check":"revocation","clause":"5.2.5","verdict":"passed"},'
    '{"check":"signer-binding","clause":"local","verdict":"not run",'
    '"why":"left to the rules on the ground (SIG-08), which know the request"}],'
    '"evidence":{"document":"","certificates":["",""],'
    '"revocation":[{"certificate":"","end":"good","source":"CRL","digest":"",'
    '"thisUpdate":"+00:00","nextUpdate":"+00:00","revokedAt":null,"crlReason":null},'
    '{"certificate":"","end":"good","source":"OCSP","digest":""},'
    '{"certificate":"","end":"good","source":"CRL","digest":"","thisUpdate":"+00:00",'
    '"nextUpdate":"+00:00","revokedAt":null,"crlReason":null}],"timestamps":[]}}'
)
_STATEMENT: Final = (
    '{"agreement":"","case":null,"certificate":"","channel":"xroad""mtls""wsse","closes":true,'
    '"decidedAt":"+00:00","disclosureId":"","effects":{"answerUntil":"+00:00",'
    '"failedAttempt":false,"ground":null,"meters":false,"paper":null,"quota":false,'
    '"registers":false,"revokes":null},"employee":null,'
    '"evidence":[["CONSENT",""]],"format":3,"ground":["BASIS"["CONSENT",""],'
    '"operation":"VerifyPerson""RegisterConsent""GetPersonData",'
    '"outcome":"NOT_MATCHED""MATCHED""RELEASED""REFUSED","payloadDigest":null,"purpose":"",'
    '"reasons":[["",null,"",null]],"recipient":"COM/","released":["address","birthDate",'
    '"documentNumber","givenName","patronymic","surname"],"requestDigest":"","requestId":"",'
    '"sealedTo":null,"space":"DISCLOSURE","subject":"","subsystem":null}'
)
_ANSWER: Final = (
    '<VerifyPersonResponse xmlns="urn:makul:recipient:1"></VerifyPersonResponse>'
    '<GetPersonDataResponse xmlns="urn:makul:recipient:1"><requestId></requestId>'
    "<outcome>RELEASED</outcome><outcome>MATCHED</outcome><outcome>NOT_MATCHED</outcome>"
    "<match><method>demographic</method><result>NO_MATCH</result><result>MATCH</result></match>"
    '<p:person xmlns:p="urn:makul:recipient:1"><p:surname><t:ky xmlns:t="urn:makul:types:1"></t:ky>'
    '<t:ru xmlns:t="urn:makul:types:1"></t:ru><t:latin xmlns:t="urn:makul:types:1"></t:latin>'
    "</p:surname><p:givenName></p:givenName><p:address></p:address></p:person>"
    '<outcome>REFUSED</outcome><reason><t:code xmlns:t="urn:makul:types:1"></t:code>'
    '<t:clause xmlns:t="urn:makul:types:1">4</t:clause><t:side xmlns:t="urn:makul:types:1">R'
    '</t:side><t:retry xmlns:t="urn:makul:types:1">F</t:retry>'
    '<t:field xmlns:t="urn:makul:types:1"></t:field><t:text xmlns:t="urn:makul:types:1"><t:ky>'
    "</t:ky><t:ru></t:ru><t:en></t:en></t:text></reason><disclosureId></disclosureId>"
    "<decidedAt></decidedAt><receipt></receipt></GetPersonDataResponse>"
)
_RECEIPT: Final = (
    '<Receipt xmlns="urn:makul:receipt:1" Id="receipt-"><receiptId></receiptId><requestId>'
    "</requestId><requestDigest>=</requestDigest><operation>GetPersonData</operation><recipient>"
    "COM/</recipient><agreementNumber></agreementNumber><outcome>REFUSED</outcome><reason><code>"
    "</code><field></field></reason><released></released><payloadDigest>=</payloadDigest>"
    "<answerDigest>=</answerDigest><ground><kind>CONSENT</kind><id></id><digest>=</digest>"
    "</ground><decidedAt>Z</decidedAt><leafHash>=</leafHash><operator>GOV/</operator>"
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Id="receipt--signature">'
    "<ds:SignedInfo><ds:CanonicalizationMethod "
    'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256">'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256">'
    '</ds:SignatureMethod><ds:Reference Id="receipt--document" URI="#receipt-"><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature">'
    '</ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
    "</ds:Transform></ds:Transforms>"
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>=</ds:DigestValue></ds:Reference>"
    '<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#receipt--properties">'
    '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
    "</ds:Transform></ds:Transforms>"
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>=</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>=="
    "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"
    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties "
    'xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#receipt--signature">'
    '<xades:SignedProperties Id="receipt--properties"><xades:SignedSignatureProperties>'
    "<xades:SigningTime>Z</xades:SigningTime><xades:SigningCertificateV2><xades:Cert>"
    "<xades:CertDigest>"
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>=</ds:DigestValue></xades:CertDigest></xades:Cert>"
    "</xades:SigningCertificateV2></xades:SignedSignatureProperties>"
    "<xades:SignedDataObjectProperties>"
    '<xades:DataObjectFormat ObjectReference="#receipt--document"><xades:MimeType>text/xml'
    "</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
    "</xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature></Receipt>"
)

_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_MESSAGE: Final = (
    '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>'
    f'<wsse:Security xmlns:wsse="{_WSS}wssecurity-secext-1.0.xsd"'
    f' xmlns:wsu="{_WSS}wssecurity-utility-1.0.xsd" soap:mustUnderstand="1">'
    f'<wsse:BinarySecurityToken EncodingType="{_WSS}soap-message-security-1.0#Base64Binary"'
    f' ValueType="{_WSS}x509-token-profile-1.0#X509v3" wsu:Id=""></wsse:BinarySecurityToken>'
    '<wsu:Timestamp wsu:Id=""><wsu:Created>Z</wsu:Created><wsu:Expires>Z</wsu:Expires>'
    '</wsu:Timestamp><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>'
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
    "</ds:CanonicalizationMethod>"
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256">'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256">'
    '</ds:SignatureMethod><ds:Reference URI="#"><ds:Transforms><ds:Transform'
    ' Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>=</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>=="
    "</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference>"
    f'<wsse:Reference URI="#" ValueType="{_WSS}x509-token-profile-1.0#X509v3"/>'
    "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security></soap:Header>"
    '<soap:Body wsu:Id=""><VerifyPerson xmlns="urn:makul:recipient:1"></VerifyPerson>'
    '<GetPersonData xmlns="urn:makul:recipient:1"><requestId></requestId><agreementNumber>'
    "</agreementNumber><purpose></purpose><probe><demographic><pin></pin><surname></surname>"
    "<givenName></givenName><documentNumber></documentNumber></demographic></probe><ground>"
    "<basisDocument></basisDocument><consentId></consentId><consentDocument></consentDocument>"
    "</ground><requestedAttributes><attribute>address</attribute><attribute>givenName</attribute>"
    "<attribute>surname</attribute></requestedAttributes></GetPersonData></soap:Body>"
    "</soap:Envelope>"
)

MESSAGE_BOILERPLATE: Final = _MESSAGE.encode()
"""The text of the dictionary of signed messages, before the sender's certificate."""

BOILERPLATE: Final = (_ANSWER + _REPORT + _STATEMENT + _RECEIPT).encode()
"""The text of the dictionary, before the operator's certificate. It contains no personal data."""
