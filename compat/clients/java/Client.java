import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Gets a token with Nimbus for each client of a plan. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        var input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var plan = JSONObjectUtils.parse(input);
        for (var client : JSONObjectUtils.getJSONObjectArray(plan, "clients")) {
            output.println(JSONObjectUtils.toJSONString(attempt(plan, client)));
        }
    }

    private static Map<String, Object> attempt(Map<String, Object> plan, Map<String, Object> client)
            throws Exception {
        var endpoint = URI.create((String) plan.get("token_url"));
        var request = new TokenRequest.Builder(
                        endpoint, authentication(endpoint, client), new ClientCredentialsGrant())
                .scope(Scope.parse((String) plan.get("scope")))
                .customParameter("audience", (String) plan.get("audience"))
                .build();
        var response = TokenResponse.parse(request.toHTTPRequest().send());
        var name = client.get("name");
        if (!response.indicatesSuccess()) {
            var code = response.toErrorResponse().getErrorObject().getCode();
            return Map.of("name", name, "error", String.valueOf(code));
        }
        var token = response.toSuccessResponse().getTokens().getAccessToken().getValue();
        return Map.of("name", name, "token", token);
    }

    private static ClientAuthentication authentication(URI endpoint, Map<String, Object> client)
            throws Exception {
        var id = new ClientID((String) client.get("id"));
        switch ((String) client.get("method")) {
            case "client_secret_basic":
                return new ClientSecretBasic(id, new Secret((String) client.get("secret")));
            case "client_secret_post":
                return new ClientSecretPost(id, new Secret((String) client.get("secret")));
            default:
                var key = JWK.parse(JSONObjectUtils.getJSONObject(client, "key"));
                var algorithm = JWSAlgorithm.parse(key.getAlgorithm().getName());
                var secret = ((AsymmetricJWK) key).toPrivateKey();
                return new PrivateKeyJWT(id, endpoint, algorithm, secret, key.getKeyID(), null);
        }
    }
}
