"""One YAML file ⇄ Contract ⇄ Terms as of an instant."""
