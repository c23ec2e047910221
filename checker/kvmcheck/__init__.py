# SPDX-License-Identifier: GPL-2.0-only
"""A model checker for KVM's page-fault and MMU-notifier code."""

__version__ = "0.1.0"
