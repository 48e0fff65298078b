package interop;

import interop.contract.AttributeList;
import interop.contract.DemographicProbe;
import interop.contract.Fault;
import interop.contract.GetPersonData;
import interop.contract.GetPersonDataResponse;
import interop.contract.Ground;
import interop.contract.MakulRecipient;
import interop.contract.Probe;
import interop.contract.Recipient;
import jakarta.xml.ws.BindingProvider;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.security.auth.callback.CallbackHandler;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.cxf.endpoint.Client;
import org.apache.cxf.frontend.ClientProxy;
import org.apache.cxf.ws.security.wss4j.WSS4JOutInterceptor;
import org.apache.wss4j.common.crypto.Merlin;
import org.apache.wss4j.common.ext.WSPasswordCallback;
import org.apache.wss4j.dom.handler.WSHandlerConstants;
import org.apache.xml.security.encryption.XMLCipher;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * Asks over wsse with code that CXF generated and signatures that WSS4J makes, one line of tasks after
 * the other: NAME URL CERTIFICATE KEY AGREEMENT PURPOSE PIN NUMBER DOCUMENT KIND SEALING-KEY ATTRIBUTES,
 * separated by tabs. Prints for each: NAME, what came back, and the reasons' codes or the attributes.
 *
 * <p>Of WSS4J's settings only those are made that a signed message needs: what is signed, by whom, and
 * the key as a token in the message. SHA-1, which WSS4J still has as its default for RSA, is replaced.
 */
public final class Ask {

    private static final String UTILITY =
            "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    private static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
    private static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";

    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[0]), StandardCharsets.UTF_8)) {
            System.out.println(line.split("\t", 2)[0] + "\t" + new Ask(line.split("\t", -1)).answer());
        }
    }

    private final String[] task;

    private Ask(String[] task) {
        this.task = task;
    }

    private String answer() throws Exception {
        try {
            GetPersonDataResponse answer = port().getPersonData(question());
            String reasons = answer.getReason().stream().map(each -> each.getCode()).collect(Collectors.joining(" "));
            String released = answer.getSealed() != null
                    ? names(opened(answer.getSealed()))
                    : answer.getPerson() != null ? answer.getPerson().getSurname().getLatin() : "";
            return answer.getOutcome() + "\t" + reasons + "\t" + released;
        } catch (Fault fault) {
            return "FAULT\t" + fault.getFaultInfo().getReason().stream()
                    .map(each -> each.getCode() + " " + each.getField())
                    .collect(Collectors.joining(" ")) + "\t";
        }
    }

    private GetPersonData question() throws Exception {
        var words = new DemographicProbe();
        words.setPin(task[6]);
        words.setDocumentNumber(task[7]);
        var probe = new Probe();
        probe.setDemographic(words);
        var ground = new Ground();
        byte[] document = Files.readAllBytes(Path.of(task[8]));
        if (task[9].equals("CONSENT")) {
            ground.setConsentDocument(document);
        } else {
            ground.setBasisDocument(document);
        }
        var attributes = new AttributeList();
        attributes.getAttribute().addAll(List.of(task[11].split(" ")));
        var question = new GetPersonData();
        question.setRequestId(UUID.randomUUID().toString());
        question.setAgreementNumber(task[4]);
        question.setEmployee("interop");
        question.setPurpose(task[5]);
        question.setProbe(probe);
        question.setGround(ground);
        question.setRequestedAttributes(attributes);
        return question;
    }

    private Recipient port() throws Exception {
        Recipient port = new MakulRecipient().getRecipientSoap11Port();
        ((BindingProvider) port).getRequestContext().put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, task[1]);
        Client client = ClientProxy.getClient(port);
        client.getOutInterceptors().add(new WSS4JOutInterceptor(signing()));
        return port;
    }

    private Map<String, Object> signing() throws Exception {
        var keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        Certificate certificate = certificate(task[2]);
        String kind = certificate.getPublicKey().getAlgorithm();
        keys.setKeyEntry("caller", key(task[3], kind), "x".toCharArray(), new Certificate[] {certificate});
        var crypto = new Merlin();
        crypto.setKeyStore(keys);
        CallbackHandler password = asked -> ((WSPasswordCallback) asked[0]).setPassword("x");
        var settings = new HashMap<String, Object>();
        settings.put(WSHandlerConstants.ACTION, "Timestamp Signature");
        settings.put(WSHandlerConstants.USER, "caller");
        settings.put(WSHandlerConstants.SIG_KEY_ID, "DirectReference");
        settings.put(WSHandlerConstants.SIG_PROP_REF_ID, "crypto");
        settings.put("crypto", crypto);
        settings.put(WSHandlerConstants.PW_CALLBACK_REF, password);
        settings.put(WSHandlerConstants.SIG_ALGO, MORE + (kind.equals("RSA") ? "rsa-sha256" : "ecdsa-sha256"));
        settings.put(WSHandlerConstants.SIG_DIGEST_ALGO, "http://www.w3.org/2001/04/xmlenc#sha256");
        settings.put(WSHandlerConstants.SIGNATURE_PARTS, "{Element}{" + UTILITY + "}Timestamp;{Element}{" + SOAP + "}Body");
        return settings;
    }

    private Document opened(byte[] sealed) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        Document document = factory.newDocumentBuilder().parse(new ByteArrayInputStream(sealed));
        Element encrypted = document.getDocumentElement();
        var cipher = XMLCipher.getInstance();
        cipher.init(XMLCipher.DECRYPT_MODE, null);
        cipher.setKEK(key(task[10], "RSA"));
        return cipher.doFinal(document, encrypted);
    }

    private static String names(Document delivery) {
        var person = (Element) delivery.getElementsByTagNameNS("urn:makul:recipient:1", "person").item(0);
        var names = new StringBuilder();
        for (var child = person.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element) {
                names.append(names.isEmpty() ? "" : " ").append(child.getLocalName());
            }
        }
        return names.toString();
    }

    private static Certificate certificate(String file) throws Exception {
        try (InputStream pem = Files.newInputStream(Path.of(file))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(pem);
        }
    }

    private static PrivateKey key(String file, String kind) throws Exception {
        String base64 = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----|\\s", "");
        return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
    }
}
