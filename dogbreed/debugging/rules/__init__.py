"""Rules: pure functions of recorded series. Their table is `dogbreed.debugging.rule_table`.

Names, parameters and defaults are those of Amazon SageMaker Debugger's built-in rules
(https://docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html) where it has a rule of that name.
"""
