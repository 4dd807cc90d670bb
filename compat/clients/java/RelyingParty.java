import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.LogoutRequest;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.UserInfoRequest;
import com.nimbusds.openid.connect.sdk.UserInfoResponse;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Logs people in with Nimbus, for each client of a plan. An address on standard output is opened by a
 * browser, and the next line of input is where it ended; other lines are outcomes.
 */
public class RelyingParty {
    private static final BufferedReader INPUT =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final PrintStream OUTPUT =
            new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final Map<String, Object> plan;
    private final OIDCProviderMetadata server;
    private final ClientID id;
    private final String method;
    private final Secret secret;

    public static void main(String[] arguments) throws Exception {
        var plan = JSONObjectUtils.parse(INPUT.readLine());
        for (var client : JSONObjectUtils.getJSONObjectArray(plan, "clients")) {
            Map<String, Object> outcome = new TreeMap<>();
            outcome.put("name", client.get("name"));
            try {
                new RelyingParty(plan, client).logIn(outcome);
            } catch (Exception error) {
                outcome.put("error", String.valueOf(error));
            }
            OUTPUT.println(JSONObjectUtils.toJSONString(outcome));
        }
    }

    private RelyingParty(Map<String, Object> plan, Map<String, Object> client) throws Exception {
        this.plan = plan;
        server = OIDCProviderMetadata.resolve(new Issuer((String) plan.get("issuer")));
        id = new ClientID((String) client.get("id"));
        method = (String) client.get("method");
        secret = client.get("secret") instanceof String text ? new Secret(text) : null;
    }

    private void logIn(Map<String, Object> outcome) throws Exception {
        var back = URI.create((String) plan.get("redirect_uri"));
        var state = new State();
        var nonce = new Nonce();
        var verifier = new CodeVerifier();
        var begin = new AuthenticationRequest.Builder(ResponseType.CODE, scope(), id, back)
                .endpointURI(server.getAuthorizationEndpointURI())
                .state(state)
                .nonce(nonce)
                .codeChallenge(verifier, CodeChallengeMethod.S256)
                .build();
        var answer = AuthenticationResponseParser.parse(browse(begin.toURI()));
        if (!answer.indicatesSuccess() || !state.equals(answer.getState())) {
            throw new IllegalStateException("came back with an error, or for another request");
        }
        AuthorizationCode code = answer.toSuccessResponse().getAuthorizationCode();
        var grant = new AuthorizationCodeGrant(code, back, verifier);
        var tokens = tokens(grant);
        var idToken = tokens.getOIDCTokens().getIDToken();
        var keys = server.getJWKSetURI().toURL();
        var validator = new IDTokenValidator(server.getIssuer(), id, JWSAlgorithm.RS256, keys);
        outcome.put("subject", validator.validate(idToken, nonce).getSubject().getValue());

        var token = tokens.getOIDCTokens().getBearerAccessToken();
        var asked = new UserInfoRequest(server.getUserInfoEndpointURI(), token);
        var info = UserInfoResponse.parse(asked.toHTTPRequest().send()).toSuccessResponse();
        outcome.put("userinfo", info.getUserInfo().getSubject().getValue());

        var refreshToken = tokens.getOIDCTokens().getRefreshToken();
        var fresh = tokens(new RefreshTokenGrant(refreshToken)).getOIDCTokens();
        outcome.put("refreshed", fresh.getAccessToken().getValue());

        var bye = URI.create((String) plan.get("post_logout_redirect_uri"));
        var leave = new LogoutRequest(server.getEndSessionEndpointURI(), idToken, bye, state);
        outcome.put("left", browse(leave.toURI()).toString());

        var again = TokenResponse.parse(request(grant).toHTTPRequest().send());
        if (!again.indicatesSuccess()) {
            outcome.put("again", again.toErrorResponse().getErrorObject().getCode());
        }
    }

    private OIDCTokenResponse tokens(AuthorizationGrant grant) throws Exception {
        var answer = OIDCTokenResponseParser.parse(request(grant).toHTTPRequest().send());
        if (!answer.indicatesSuccess()) {
            throw new IllegalStateException(String.valueOf(answer.toErrorResponse().getErrorObject()));
        }
        return (OIDCTokenResponse) answer.toSuccessResponse();
    }

    private TokenRequest request(AuthorizationGrant grant) {
        var endpoint = server.getTokenEndpointURI();
        switch (method) {
            case "client_secret_basic":
                return new TokenRequest.Builder(endpoint, new ClientSecretBasic(id, secret), grant).build();
            case "client_secret_post":
                return new TokenRequest.Builder(endpoint, new ClientSecretPost(id, secret), grant).build();
            default:
                return new TokenRequest.Builder(endpoint, id, grant).build();
        }
    }

    private Scope scope() {
        var scope = new Scope();
        for (var name : (List<?>) plan.get("scopes")) {
            scope.add((String) name);
        }
        return scope;
    }

    /** Where a browser ends that is sent to an address. */
    private static URI browse(URI address) throws Exception {
        OUTPUT.println(JSONObjectUtils.toJSONString(Map.of("open", address.toString())));
        var line = INPUT.readLine();
        return URI.create((String) JSONObjectUtils.parse("{\"end\":" + line + "}").get("end"));
    }
}
