// Gets a token with golang.org/x/oauth2 for each client of a plan.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type plan struct {
	TokenURL string `json:"token_url"`
	Audience string `json:"audience"`
	Scope    string `json:"scope"`
	Clients  []client
}

type client struct {
	Name, Method, ID, Secret string
}

type outcome struct {
	Name  string `json:"name"`
	Token string `json:"token,omitempty"`
	Error string `json:"error,omitempty"`
}

var styles = map[string]oauth2.AuthStyle{
	"client_secret_basic": oauth2.AuthStyleInHeader,
	"client_secret_post":  oauth2.AuthStyleInParams,
}

func main() {
	var work plan
	if err := json.NewDecoder(os.Stdin).Decode(&work); err != nil {
		panic(err)
	}
	output := json.NewEncoder(os.Stdout)
	for _, client := range work.Clients {
		if err := output.Encode(try(work, client)); err != nil {
			panic(err)
		}
	}
}

func try(work plan, client client) outcome {
	config := clientcredentials.Config{
		ClientID:       client.ID,
		ClientSecret:   client.Secret,
		TokenURL:       work.TokenURL,
		Scopes:         []string{work.Scope},
		EndpointParams: url.Values{"audience": {work.Audience}},
		AuthStyle:      styles[client.Method],
	}
	token, err := config.Token(context.Background())
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		return outcome{Name: client.Name, Error: refused.ErrorCode}
	case err != nil:
		return outcome{Name: client.Name, Error: err.Error()}
	}
	return outcome{Name: client.Name, Token: token.AccessToken}
}
