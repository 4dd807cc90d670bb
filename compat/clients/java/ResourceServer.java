import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.id.Issuer;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.util.Map;
import java.util.Set;

/** Verifies each token of a plan with Nimbus, with the keys that the issuer's metadata names. */
public class ResourceServer {
    private static final Set<JWSAlgorithm> ALGORITHMS =
            Set.of(JWSAlgorithm.RS256, JWSAlgorithm.PS256, JWSAlgorithm.ES256, JWSAlgorithm.ES384);
    private static final Set<String> CLAIMS =
            Set.of("exp", "iat", "iss", "aud", "sub", "jti", "client_id");

    public static void main(String[] arguments) throws Exception {
        var input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var plan = JSONObjectUtils.parse(input);
        var processor = processor(plan);
        for (var token : JSONObjectUtils.getJSONObjectArray(plan, "tokens")) {
            output.println(JSONObjectUtils.toJSONString(verify(processor, token)));
        }
    }

    private static Map<String, Object> verify(
            DefaultJWTProcessor<SecurityContext> processor, Map<String, Object> token) {
        var name = token.get("name");
        try {
            var claims = processor.process((String) token.get("token"), null);
            return Map.of("name", name, "subject", claims.getSubject());
        } catch (ParseException | BadJOSEException | JOSEException refusal) {
            return Map.of("name", name, "error", String.valueOf(refusal.getMessage()));
        }
    }

    private static DefaultJWTProcessor<SecurityContext> processor(Map<String, Object> plan)
            throws Exception {
        var issuer = new Issuer((String) plan.get("issuer"));
        var metadata = AuthorizationServerMetadata.resolve(issuer);
        var keys = JWKSourceBuilder.create(metadata.getJWKSetURI().toURL()).build();
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, keys));
        var type = new JOSEObjectType((String) plan.get("type"));
        processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(type));
        processor.setJWTClaimsSetVerifier(new DefaultJWTClaimsVerifier<>(
                (String) plan.get("audience"),
                new JWTClaimsSet.Builder().issuer(issuer.getValue()).build(),
                CLAIMS));
        return processor;
    }
}
