import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.model.GenericMessage;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.parser.PipeParser;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;

/** Reads one message a line (carriage returns as U+0001) with HAPI's own checks; one word a line. */
public class Read {
    public static void main(String[] files) throws Exception {
        try (DefaultHapiContext context = new DefaultHapiContext()) {
            PipeParser parser = context.getPipeParser();
            for (String line : Files.readAllLines(Paths.get(files[0]))) {
                System.out.println(read(parser, line.replace('\u0001', '\r')));
            }
        }
    }

    static String read(PipeParser parser, String text) {
        try {
            Message message = parser.parse(text);
            String names = Arrays.toString(message.getNames());
            boolean whole = !(message instanceof GenericMessage) && !names.matches(".*(MSA|ERR)\\d.*");
            return whole ? "read" : "not of its structure: " + names;
        } catch (Exception error) {
            return error.getClass().getSimpleName();
        }
    }
}
