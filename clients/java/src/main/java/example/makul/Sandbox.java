package example.makul;

import example.makul.MakulClient.Subsystem;
import example.makul.contract.AttributeList;
import example.makul.contract.DemographicProbe;
import example.makul.contract.GetPersonData;
import example.makul.contract.Ground;
import example.makul.contract.Probe;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.function.Predicate;

/** The files of a sandbox: its addresses, its parties, and documents that are ready for a request. */
final class Sandbox {

    private static final String FORMAT = "makul-sandbox/1";

    private final Path directory;
    private final JsonObject index;

    private Sandbox(Path directory, JsonObject index) {
        this.directory = directory;
        this.index = index;
    }

    static Sandbox open(Path directory) throws IOException {
        try (var reader = Json.createReader(Files.newInputStream(directory.resolve("sandbox.json")))) {
            JsonObject index = reader.readObject();
            if (!FORMAT.equals(index.getString("format", null))) {
                throw new IllegalArgumentException("sandbox.json is not " + FORMAT);
            }
            return new Sandbox(directory, index);
        }
    }

    URI url() {
        return URI.create(index.getJsonObject("urls").getString("xroad"));
    }

    Subsystem service() {
        return Subsystem.parse(index.getJsonObject("operator").getString("xroadService"));
    }

    /** The client that presents the document. */
    Subsystem client(String paper) {
        return Subsystem.parse(bearer(paper(paper)).getString("xroadClient"));
    }

    /** The question for the document, under a new id. */
    GetPersonData question(String name) throws IOException {
        JsonObject paper = paper(name);
        var question = new GetPersonData();
        question.setRequestId(UUID.randomUUID().toString());
        question.setAgreementNumber(bearer(paper).getJsonObject("agreement").getString("number"));
        question.setPurpose(paper.getString("purpose"));
        question.setProbe(probe(paper));
        question.setGround(ground(paper));
        question.setRequestedAttributes(attributes(paper));
        return question;
    }

    private Probe probe(JsonObject paper) {
        JsonObject citizen = only("citizens", each -> each.getInt("number") == paper.getInt("citizen"));
        var words = new DemographicProbe();
        words.setPin(citizen.getString("pin"));
        words.setDocumentNumber(citizen.getString("documentNumber"));
        var probe = new Probe();
        probe.setDemographic(words);
        return probe;
    }

    /** The document's exact bytes: a document that is parsed and written again is no longer what was signed. */
    private Ground ground(JsonObject paper) throws IOException {
        byte[] document = Files.readAllBytes(directory.resolve(paper.getString("file")));
        var ground = new Ground();
        if (paper.getString("kind").equals("CONSENT")) {
            ground.setConsentDocument(document);
        } else {
            ground.setBasisDocument(document);
        }
        return ground;
    }

    private static AttributeList attributes(JsonObject paper) {
        var attributes = new AttributeList();
        paper.getJsonArray("attributes").getValuesAs(JsonString::getString).forEach(attributes.getAttribute()::add);
        return attributes;
    }

    private JsonObject paper(String name) {
        return only("papers", each ->
                each.getString("name").equals(name) && each.getString("operation").equals("GetPersonData"));
    }

    private JsonObject bearer(JsonObject paper) {
        return only("parties", each -> each.getString("key").equals(paper.getString("presentedBy")));
    }

    private JsonObject only(String list, Predicate<JsonObject> wanted) {
        return index.getJsonArray(list).getValuesAs(JsonObject.class).stream()
                .filter(wanted)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such entry among the " + list + " of sandbox.json"));
    }
}
