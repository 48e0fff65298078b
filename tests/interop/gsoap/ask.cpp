// Asks over wsse with code that gSOAP generated and its own WS-Security plugin, one line of tasks after the
// other, as interop.Ask does: NAME URL CERTIFICATE KEY AGREEMENT PURPOSE PIN NUMBER DOCUMENT KIND SEALING-KEY
// ATTRIBUTES, separated by tabs.

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "RecipientSoap11.nsmap"
#include "soapRecipientSoap11Proxy.h"
#include "wsseapi.h"

static std::vector<std::string> split(const std::string &text, char by) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in(text);
  while (std::getline(in, part, by)) parts.push_back(part);
  return parts;
}

static std::string read(const std::string &file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

static std::string uuid() {
  unsigned char octets[16];
  char text[37];
  std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char *>(octets), sizeof octets);
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-4%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x", octets[0],
                octets[1], octets[2], octets[3], octets[4], octets[5], octets[6] & 15, octets[7], octets[8] & 15,
                octets[9], octets[10], octets[11], octets[12], octets[13], octets[14], octets[15]);
  return text;
}

static X509 *certificate_in(const std::string &file) {
  FILE *in = std::fopen(file.c_str(), "r");
  X509 *found = in ? PEM_read_X509(in, nullptr, nullptr, nullptr) : nullptr;
  if (in) std::fclose(in);
  return found;
}

static EVP_PKEY *key_in(const std::string &file) {
  FILE *in = std::fopen(file.c_str(), "r");
  EVP_PKEY *found = in ? PEM_read_PrivateKey(in, nullptr, nullptr, nullptr) : nullptr;
  if (in) std::fclose(in);
  return found;
}

// Timestamp and Body alone are signed: by its documented recipe gSOAP signs the token as well. What is to be
// signed must be named after soap_wsse_sign_body, which forgets what was named before.
static int sign(struct soap *soap, X509 *certificate, EVP_PKEY *key) {
  return soap_wsse_add_Timestamp(soap, "Time", 60) || soap_wsse_add_BinarySecurityTokenX509(soap, "Token", certificate) ||
         soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#Token") ||
         soap_wsse_sign_body(soap, SOAP_SMD_SIGN_RSA_SHA256, key, 0) || soap_wsse_sign_only(soap, "Time Body");
}

static void ask(const std::vector<std::string> &task) {
  RecipientSoap11Proxy service(task[1].c_str(), SOAP_XML_CANONICAL | SOAP_C_UTFSTRING);
  struct soap *soap = service.soap;
  soap_register_plugin(soap, soap_wsse);
  X509 *certificate = certificate_in(task[2]);
  EVP_PKEY *key = key_in(task[3]);

  ns1__DemographicProbe words;
  words.pin = task[6];
  words.documentNumber = &const_cast<std::string &>(task[7]);
  ns1__Probe probe;
  probe.demographic = &words;
  std::string octets = read(task[8]);
  xsd__base64Binary document;
  document.__ptr = reinterpret_cast<unsigned char *>(&octets[0]);
  document.__size = static_cast<int>(octets.size());
  ns1__Ground ground;
  const bool consent = task[9] == "CONSENT";
  ground.__union_Ground =
      consent ? SOAP_UNION__ns1__union_Ground_consentDocument : SOAP_UNION__ns1__union_Ground_basisDocument;
  (consent ? ground.union_Ground.consentDocument : ground.union_Ground.basisDocument) = &document;
  ns1__AttributeList attributes;
  attributes.attribute = split(task[11], ' ');
  std::string employee = "interop";
  _ns1__GetPersonData question;
  question.requestId = uuid();
  question.agreementNumber = task[4];
  question.employee = &employee;
  question.purpose = task[5];
  question.probe = &probe;
  question.ground = &ground;
  question.requestedAttributes = &attributes;
  _ns1__GetPersonDataResponse answer;

  std::cout << task[0] << '\t';
  if (sign(soap, certificate, key) != SOAP_OK) {
    std::cout << "NOT SIGNED\t\t\n";
  } else if (service.GetPersonData(&question, answer) == SOAP_OK) {
    std::cout << soap_ns2__Outcome2s(soap, answer.outcome) << '\t';
    for (auto *reason : answer.reason) std::cout << reason->code;
    std::cout << '\t';
    if (answer.__union_GetPersonDataResponse == SOAP_UNION__ns1__union_GetPersonDataResponse_person)
      std::cout << *answer.union_GetPersonDataResponse.person->surname->latin;
    std::cout << '\n';
  } else if (soap->fault && soap->fault->detail && soap->fault->detail->ns2__Fault) {
    std::cout << "FAULT\t";
    for (auto *reason : soap->fault->detail->ns2__Fault->reason)
      std::cout << reason->code << ' ' << (reason->field ? *reason->field : "");
    std::cout << "\t\n";
  } else {
    std::cout << "NO ANSWER\t" << soap->error << '\t';
    soap_stream_fault(soap, std::cout);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
}

int main(int, char **arguments) {
  std::ifstream tasks(arguments[1]);
  std::string line;
  while (std::getline(tasks, line)) ask(split(line, '\t'));
  return 0;
}
