package interop;

import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.File;
import java.time.Instant;
import java.util.Date;

/**
 * Validates the container FILE at an instant by DSS's default policy, with the certificates ANCHOR...
 * trusted and nothing fetched. Prints the container's form, and for each signature its indication,
 * sub-indication, level and what was wrong.
 */
public final class Validate {

    public static void main(String[] arguments) throws Exception {
        var trusted = new CommonTrustedCertificateSource();
        for (int index = 2; index < arguments.length; index++) {
            CertificateToken anchor = DSSUtils.loadCertificate(new File(arguments[index]));
            trusted.addCertificate(anchor);
        }
        var verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        var validator = SignedDocumentValidator.fromDocument(new FileDocument(arguments[0]));
        validator.setCertificateVerifier(verifier);
        validator.setValidationTime(Date.from(Instant.parse(arguments[1])));
        var reports = validator.validateDocument();
        var simple = reports.getSimpleReport();
        System.out.println("container " + simple.getContainerType());
        System.out.println("signatures " + simple.getSignaturesCount());
        for (String id : simple.getSignatureIdList()) {
            System.out.println("indication " + simple.getIndication(id));
            System.out.println("sub-indication " + simple.getSubIndication(id));
            System.out.println("level " + simple.getSignatureFormat(id));
            simple.getAdESValidationErrors(id).forEach(each -> System.out.println("error " + each.getValue()));
            simple.getAdESValidationWarnings(id).forEach(each -> System.out.println("warning " + each.getValue()));
            simple.getQualificationErrors(id).forEach(each -> System.out.println("qualification " + each.getValue()));
        }
    }
}
