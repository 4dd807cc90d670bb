// Logs people in with golang.org/x/oauth2 and coreos/go-oidc, for each client of a plan.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

type plan struct {
	Issuer     string
	Redirect   string `json:"redirect_uri"`
	PostLogout string `json:"post_logout_redirect_uri"`
	Scopes     []string
	Clients    []client
}

type client struct {
	Name, Method, ID, Secret string
}

type outcome struct {
	Name      string `json:"name"`
	Subject   string `json:"subject,omitempty"`
	UserInfo  string `json:"userinfo,omitempty"`
	Refreshed string `json:"refreshed,omitempty"`
	Left      string `json:"left,omitempty"`
	Again     string `json:"again,omitempty"`
	Error     string `json:"error,omitempty"`
}

var styles = map[string]oauth2.AuthStyle{
	"client_secret_basic": oauth2.AuthStyleInHeader,
	"client_secret_post":  oauth2.AuthStyleInParams,
	"none":                oauth2.AuthStyleInParams,
}

var (
	input  = bufio.NewReader(os.Stdin)
	output = json.NewEncoder(os.Stdout)
)

func main() {
	var work plan
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &work)
	}
	if err != nil {
		panic(err)
	}
	for _, client := range work.Clients {
		outcome := outcome{Name: client.Name}
		if err := play(work, client, &outcome); err != nil {
			outcome.Error = err.Error()
		}
		if err := output.Encode(outcome); err != nil {
			panic(err)
		}
	}
}

// Has the browser open an address; where it ended.
func browse(address string) (url.Values, string, error) {
	if err := output.Encode(map[string]string{"open": address}); err != nil {
		return nil, "", err
	}
	var end string
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &end)
	}
	if err != nil {
		return nil, "", err
	}
	parsed, err := url.Parse(end)
	if err != nil {
		return nil, "", err
	}
	return parsed.Query(), end, nil
}

func play(work plan, client client, outcome *outcome) error {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, work.Issuer)
	if err != nil {
		return err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = styles[client.Method]
	config := oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret, Endpoint: endpoint,
		RedirectURL: work.Redirect, Scopes: work.Scopes,
	}
	state, nonce, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	told, _, err := browse(config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		return err
	}
	if told.Get("state") != state || told.Get("code") == "" {
		return fmt.Errorf("came back with %v", told)
	}
	token, err := config.Exchange(ctx, told.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return err
	}
	raw, _ := token.Extra("id_token").(string)
	identity, err := provider.Verifier(&oidc.Config{ClientID: client.ID}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if identity.Nonce != nonce {
		return fmt.Errorf("nonce %q", identity.Nonce)
	}
	if err := identity.VerifyAccessToken(token.AccessToken); err != nil {
		return err
	}
	outcome.Subject = identity.Subject
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return err
	}
	outcome.UserInfo = info.Subject
	fresh, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		return err
	}
	outcome.Refreshed = fresh.AccessToken
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return err
	}
	leave := url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {work.PostLogout}, "state": {state}}
	if _, outcome.Left, err = browse(metadata.EndSession + "?" + leave.Encode()); err != nil {
		return err
	}
	_, err = config.Exchange(ctx, told.Get("code"), oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		outcome.Again = refused.ErrorCode
	}
	return nil
}
