"""What the desk knows how to do. A workflow is a module (`workflows.base`); the list is `workflows.table`."""
