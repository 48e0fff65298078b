package example.makul;

import example.makul.contract.Fault;
import example.makul.contract.GetPersonData;
import example.makul.contract.GetPersonDataResponse;
import example.makul.contract.MakulRecipient;
import example.makul.contract.Recipient;
import example.makul.contract.XRoadClientIdentifierType;
import example.makul.contract.XRoadObjectType;
import example.makul.contract.XRoadServiceIdentifierType;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.WebServiceException;
import java.net.URI;
import java.util.Map;

/**
 * Asks Makul for a person's data by way of X-Road. This is the class to take over into your own code:
 * it knows the contract, and nothing of sandboxes or command lines.
 */
final class MakulClient {

    private static final String WSDL = "/contract/wsdl/v1/recipient-xroad.wsdl";
    private static final int TIMEOUT_MS = 30_000;

    /** A system of a member, written INSTANCE/CLASS/MEMBER/SUBSYSTEM. */
    record Subsystem(String instance, String memberClass, String memberCode, String code) {

        static Subsystem parse(String written) {
            String[] parts = written.split("/", -1);
            if (parts.length != 4) {
                throw new IllegalArgumentException("not INSTANCE/CLASS/MEMBER/SUBSYSTEM: " + written);
            }
            return new Subsystem(parts[0], parts[1], parts[2], parts[3]);
        }
    }

    private final Recipient port;
    private final Subsystem client;
    private final Subsystem service;

    /** {@code endpoint} is your own security server, which carries the call from client to service. */
    MakulClient(URI endpoint, Subsystem client, Subsystem service) {
        this.port = new MakulRecipient(MakulClient.class.getResource(WSDL)).getRecipientXRoadPort();
        this.client = client;
        this.service = service;
        ((BindingProvider) port).getRequestContext().putAll(Map.of(
                BindingProvider.ENDPOINT_ADDRESS_PROPERTY, endpoint.toString(),
                "com.sun.xml.ws.connect.timeout", TIMEOUT_MS,
                "com.sun.xml.ws.request.timeout", TIMEOUT_MS));
    }

    /**
     * The decision, whether data were released or not; {@link Fault} where the message was not accepted.
     *
     * <p>To repeat a request whose answer was lost, send the same under the same requestId: the service
     * answers again what it decided, and counts it once. So keep the id before you send.
     *
     * @param employee who asks, by name (Procedure, cl. 16)
     * @param caseNumber the case in your own records, or null
     */
    GetPersonDataResponse getPersonData(GetPersonData question, String employee, String caseNumber) throws Fault {
        GetPersonDataResponse answer = port.getPersonData(
                question,
                new Holder<>(clientHeader()),
                new Holder<>(serviceHeader("GetPersonData")),
                new Holder<>(question.getRequestId()), // xrd:id is the request's own id
                new Holder<>("4.0"),
                new Holder<>(employee),
                new Holder<>(caseNumber));
        if (!question.getRequestId().equals(answer.getRequestId())) {
            throw new WebServiceException("this is not the answer to the request");
        }
        return answer;
    }

    private XRoadClientIdentifierType clientHeader() {
        var header = new XRoadClientIdentifierType();
        header.setObjectType(XRoadObjectType.SUBSYSTEM);
        header.setXRoadInstance(client.instance());
        header.setMemberClass(client.memberClass());
        header.setMemberCode(client.memberCode());
        header.setSubsystemCode(client.code());
        return header;
    }

    private XRoadServiceIdentifierType serviceHeader(String operation) {
        var header = new XRoadServiceIdentifierType();
        header.setObjectType(XRoadObjectType.SERVICE);
        header.setXRoadInstance(service.instance());
        header.setMemberClass(service.memberClass());
        header.setMemberCode(service.memberCode());
        header.setSubsystemCode(service.code());
        header.setServiceCode(operation);
        header.setServiceVersion("v1");
        return header;
    }
}
