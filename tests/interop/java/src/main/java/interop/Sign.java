package interop;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.KSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.TimeZone;
import java.util.function.Consumer;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import xades4j.algorithms.CanonicalXMLWithoutComments;
import xades4j.production.BasicSignatureOptions;
import xades4j.production.Enveloped;
import xades4j.production.SignatureAlgorithms;
import xades4j.production.SigningCertificateMode;
import xades4j.production.XadesBesSigningProfile;
import xades4j.production.XadesSigningProfile;
import xades4j.properties.SigningTimeProperty;
import xades4j.providers.impl.DirectKeyingDataProvider;

/**
 * Signs DIRECTORY/content.xml with each holder's key in DIRECTORY/HOLDER.p12 and writes
 * DIRECTORY/signed/TOOL-PROFILE-HOLDER.xml, all in one virtual machine.
 *
 * <p>A profile "default" sets what must be set (level, packaging, certificate, time) and nothing else.
 */
public final class Sign {

    private static final char[] PASSWORD = "interop".toCharArray();
    private static final String INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        Instant at = Instant.parse(arguments[1]);
        Files.createDirectories(directory.resolve("signed"));
        for (File store : directory.toFile().listFiles((in, name) -> name.endsWith(".p12"))) {
            var signer = new Sign(directory, store, at);
            signer.byDss("default", parameters -> { });
            signer.byDss("inclusive", parameters -> {
                parameters.setSignedInfoCanonicalizationMethod(INCLUSIVE);
                parameters.setSignedPropertiesCanonicalizationMethod(INCLUSIVE);
                parameters.setKeyInfoCanonicalizationMethod(INCLUSIVE);
                parameters.setEn319132(false); // SigningCertificate v1
                parameters.setSignKeyInfo(true);
                parameters.setDigestAlgorithm(DigestAlgorithm.SHA512);
            });
            signer.byXades4j("default", profile -> { });
            signer.byXades4j("inclusive", profile -> profile
                    .withSignatureAlgorithms(new SignatureAlgorithms()
                            .withCanonicalizationAlgorithmForSignature(new CanonicalXMLWithoutComments()))
                    .withBasicSignatureOptions(new BasicSignatureOptions()
                            .includeSigningCertificate(SigningCertificateMode.FULL_CHAIN)
                            .includeSubjectName(true)
                            .includeIssuerSerial(true)
                            .checkKeyUsage(false)
                            .checkCertificateValidity(false)
                            .signKeyInfo(true)));
        }
    }

    private final Path directory;
    private final File store;
    private final String holder;
    private final Instant at;

    private Sign(Path directory, File store, Instant at) {
        this.directory = directory;
        this.store = store;
        this.holder = store.getName().replace(".p12", "");
        this.at = at;
    }

    private Path target(String tool, String profile) {
        return directory.resolve("signed").resolve(tool + "-" + profile + "-" + holder + ".xml");
    }

    private void byDss(String name, Consumer<XAdESSignatureParameters> profile) throws Exception {
        try (var token = new Pkcs12SignatureToken(store, new KeyStore.PasswordProtection(PASSWORD))) {
            var key = (KSPrivateKeyEntry) token.getKeys().get(0);
            var parameters = new XAdESSignatureParameters();
            parameters.setSignatureLevel(SignatureLevel.XAdES_BASELINE_B);
            parameters.setSignaturePackaging(SignaturePackaging.ENVELOPED);
            parameters.setSigningCertificate(key.getCertificate());
            parameters.bLevel().setSigningDate(Date.from(at));
            profile.accept(parameters);
            var document = new FileDocument(directory.resolve("content.xml").toFile());
            var service = new XAdESService(new CommonCertificateVerifier());
            var value = token.sign(service.getDataToSign(document, parameters), parameters.getDigestAlgorithm(), key);
            service.signDocument(document, parameters, value).save(target("dss", name).toString());
        }
    }

    private void byXades4j(String name, Consumer<XadesSigningProfile> profile) throws Exception {
        var keys = KeyStore.getInstance(store, PASSWORD);
        String alias = keys.aliases().nextElement();
        var certificate = (X509Certificate) keys.getCertificate(alias);
        var key = (PrivateKey) keys.getKey(alias, PASSWORD);
        var signing = new XadesBesSigningProfile(new DirectKeyingDataProvider(certificate, key));
        var time = GregorianCalendar.from(at.atZone(TimeZone.getTimeZone("UTC").toZoneId()));
        signing.withSignaturePropertiesProvider(wanted -> wanted.setSigningTime(new SigningTimeProperty(time)));
        profile.accept(signing);
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        Document document = factory.newDocumentBuilder().parse(directory.resolve("content.xml").toFile());
        document.getDocumentElement().setIdAttribute("Id", true);
        new Enveloped(signing.newSigner()).sign(document.getDocumentElement());
        TransformerFactory.newInstance().newTransformer().transform(
                new DOMSource(document), new StreamResult(target("xades4j", name).toFile()));
    }
}
