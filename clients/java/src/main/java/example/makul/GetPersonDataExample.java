package example.makul;

import example.makul.MakulClient.Subsystem;
import example.makul.contract.Fault;
import example.makul.contract.GetPersonData;
import example.makul.contract.GetPersonDataResponse;
import example.makul.contract.Outcome;
import example.makul.contract.Person;
import example.makul.contract.Reason;
import example.makul.contract.Retry;
import jakarta.xml.bind.JAXB;
import jakarta.xml.ws.WebServiceException;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.transform.dom.DOMResult;
import org.w3c.dom.Node;

/** Presents a document of a sandbox and prints the outcome; the exit codes are those of makul-client. */
public final class GetPersonDataExample {

    private static final String USAGE = """
            java -jar makul-recipient-example.jar --sandbox DIR [--paper NAME] [--client ID] [--reveal]

              --sandbox  where "makul sandbox --dir DIR" put its files
              --paper    which of its documents to present (bank-00-data)
              --client   another X-Road client than the document's own: INSTANCE/CLASS/MEMBER/SUBSYSTEM
              --reveal   print the data, not only their names
            """;
    private static final Set<String> OPTIONS = Set.of("--sandbox", "--paper", "--client");

    private static final int DONE = 0;
    private static final int NO = 1;
    private static final int USE = 2;
    private static final int LATER = 3;
    private static final int REJECTED = 5;

    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private record Task(MakulClient client, GetPersonData question, boolean reveal) {}

    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) {
        Task task;
        try {
            task = read(arguments);
        } catch (IOException | IllegalArgumentException error) {
            System.err.printf("%s%n%n%s", error.getMessage(), USAGE);
            return USE;
        }
        try {
            return report(task.client().getPersonData(task.question(), "example-teller", null), task.reveal());
        } catch (Fault fault) {
            List<Reason> reasons = fault.getFaultInfo().getReason();
            reasons.forEach(reason -> System.err.println("fault: " + format(reason)));
            return isForLater(reasons) ? LATER : REJECTED;
        } catch (SOAPFaultException fault) { // a fault without our detail: of X-Road itself
            System.err.println("fault: " + fault.getFault().getFaultString());
            return REJECTED;
        } catch (WebServiceException error) {
            // What went wrong in reading an answer may quote it; what went wrong on the way does not.
            boolean onTheWay = error.getCause() instanceof IOException;
            System.err.println("no answer: " + (onTheWay ? error.getCause() : error.getClass().getSimpleName()));
            return LATER;
        }
    }

    private static Task read(String[] arguments) throws IOException {
        Map<String, String> given = new HashMap<>();
        boolean reveal = false;
        for (int at = 0; at < arguments.length; at++) {
            if (arguments[at].equals("--reveal")) {
                reveal = true;
            } else if (OPTIONS.contains(arguments[at]) && at + 1 < arguments.length) {
                given.put(arguments[at], arguments[++at]);
            } else {
                throw new IllegalArgumentException("not understood: " + arguments[at]);
            }
        }
        if (!given.containsKey("--sandbox")) {
            throw new IllegalArgumentException("--sandbox is missing");
        }
        Sandbox sandbox = Sandbox.open(Path.of(given.get("--sandbox")));
        String paper = given.getOrDefault("--paper", "bank-00-data");
        Subsystem self = given.containsKey("--client")
                ? Subsystem.parse(given.get("--client"))
                : sandbox.client(paper);
        var client = new MakulClient(sandbox.url(), self, sandbox.service());
        return new Task(client, sandbox.question(paper), reveal);
    }

    private static int report(GetPersonDataResponse answer, boolean reveal) {
        OUT.println("outcome: " + answer.getOutcome());
        OUT.println("disclosure: " + answer.getDisclosureId());
        answer.getReason().forEach(reason -> OUT.println("reason: " + format(reason)));
        boolean released = answer.getOutcome() == Outcome.RELEASED;
        if (released) {
            OUT.println("attributes: " + names(answer.getPerson()));
        }
        if (released && reveal) {
            JAXB.marshal(answer.getPerson(), OUT);
        }
        if (answer.getOutcome() == Outcome.UNDETERMINED
                || answer.getOutcome() == Outcome.REFUSED && isForLater(answer.getReason())) {
            return LATER;
        }
        return released ? DONE : NO;
    }

    /** Element names are attribute names, so what is there is what was released. */
    private static String names(Person person) {
        var document = new DOMResult();
        JAXB.marshal(person, document);
        var children = document.getNode().getFirstChild().getChildNodes();
        return IntStream.range(0, children.getLength())
                .mapToObj(children::item)
                .map(Node::getLocalName)
                .collect(Collectors.joining(" "));
    }

    /** A program decides by code and retry; the text is for the person at the desk. */
    private static String format(Reason reason) {
        String more = Stream.of(reason.getBecause(), reason.getField())
                .filter(each -> each != null)
                .collect(Collectors.joining(", "));
        String code = more.isEmpty() ? reason.getCode() : "%s (%s)".formatted(reason.getCode(), more);
        return code + " " + reason.getText().getEn();
    }

    /** Later helps only where nothing but time is missing: every reason says L. */
    private static boolean isForLater(List<Reason> reasons) {
        return !reasons.isEmpty() && reasons.stream().allMatch(reason -> reason.getRetry() == Retry.L);
    }

    private GetPersonDataExample() {}
}
