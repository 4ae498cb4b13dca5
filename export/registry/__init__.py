"""Which version has which alias: in MLflow's registry and in the model repository.

Of export it imports ``versions``, ``publishing``, ``proof``, and the modules outside any package.
"""
