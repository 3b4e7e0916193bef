import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;

/** Judges resources by HL7's own validator: Validate PROFILES-FOLDER < lines > lines.
 *
 * A line in is {"profiles": [url], "resource": {…}}; a line out lists its messages.  Offline.
 */
public class Validate {
  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport own = new PrePopulatedValidationSupport(context);
    try (Stream<Path> paths = Files.walk(Path.of(arguments[0]))) {
      List<Path> files = paths.filter(path -> path.toString().endsWith(".json")).collect(Collectors.toList());
      for (Path path : files) {
        IBaseResource resource = context.newJsonParser().parseResource(Files.readString(path));
        switch (resource.fhirType()) {
          case "StructureDefinition" -> own.addStructureDefinition(resource);
          case "CodeSystem" -> own.addCodeSystem(resource);
          case "ValueSet" -> own.addValueSet(resource);
          default -> { }
        }
      }
    }
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    FhirInstanceValidator module = new FhirInstanceValidator(new ValidationSupportChain(
        own,
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        new SnapshotGeneratingValidationSupport(context),
        unknown));
    FhirValidator validator = context.newValidator().registerValidatorModule(module);
    ObjectMapper mapper = new ObjectMapper();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    try (BufferedReader lines = new BufferedReader(new java.io.InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        JsonNode asked = mapper.readTree(line);
        ValidationOptions options = new ValidationOptions();
        asked.path("profiles").forEach(url -> options.addProfile(url.asText()));
        ArrayNode messages = mapper.createArrayNode();
        try {
          for (SingleValidationMessage one :
              validator.validateWithResult(asked.get("resource").toString(), options).getMessages()) {
            add(messages, one.getSeverity().getCode(), one.getLocationString(), one.getMessageId(), one.getMessage());
          }
        } catch (Exception thrown) {
          add(messages, "fatal", "", "exception", String.valueOf(thrown));
        }
        out.println(mapper.writeValueAsString(messages));
      }
    }
  }

  private static void add(ArrayNode messages, String severity, String where, String id, String text) {
    ObjectNode message = messages.addObject();
    message.put("severity", severity).put("where", where).put("id", id).put("text", text);
  }
}
