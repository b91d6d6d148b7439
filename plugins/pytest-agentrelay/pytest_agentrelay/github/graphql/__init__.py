"""The GraphQL API: graphql-core reads, validates and executes; the views say what an object's fields are."""
