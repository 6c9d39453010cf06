// Answers authorization cases by Kubernetes' own RBAC authorizer: one JSON object a line on stdin, for each of them a
// line `true` or `false` on stdout.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

type authorizationCase struct {
	ClusterRoles        []*rbacv1.ClusterRole        `json:"clusterRoles"`
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding `json:"clusterRoleBindings"`
	Roles               []*rbacv1.Role               `json:"roles"`
	RoleBindings        []*rbacv1.RoleBinding        `json:"roleBindings"`
	User                struct {
		Name   string   `json:"name"`
		Groups []string `json:"groups"`
	} `json:"user"`
	Request struct {
		Verb        string  `json:"verb"`
		Path        *string `json:"path"`
		APIGroup    string  `json:"apiGroup"`
		Resource    string  `json:"resource"`
		Subresource string  `json:"subresource"`
		Name        string  `json:"name"`
		Namespace   string  `json:"namespace"`
	} `json:"request"`
}

func (c *authorizationCase) isAllowed() (bool, error) {
	_, roles := validation.NewTestRuleResolver(c.Roles, c.RoleBindings, c.ClusterRoles, c.ClusterRoleBindings)
	attributes := authorizer.AttributesRecord{
		User:            &user.DefaultInfo{Name: c.User.Name, Groups: c.User.Groups},
		Verb:            c.Request.Verb,
		APIGroup:        c.Request.APIGroup,
		Resource:        c.Request.Resource,
		Subresource:     c.Request.Subresource,
		Name:            c.Request.Name,
		Namespace:       c.Request.Namespace,
		ResourceRequest: c.Request.Path == nil,
	}
	if c.Request.Path != nil {
		attributes.Path = *c.Request.Path
	}
	decision, _, err := rbac.New(roles, roles, roles, roles).Authorize(context.Background(), attributes)
	return decision == authorizer.DecisionAllow, err
}

func run() error {
	cases := json.NewDecoder(os.Stdin)
	for {
		var c authorizationCase
		if err := cases.Decode(&c); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		allowed, err := c.isAllowed()
		if err != nil {
			return err
		}
		fmt.Println(allowed)
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
